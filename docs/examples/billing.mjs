// Seats API: prints the address of a Stripe portal session in which the organization sees its invoices. With
// HEADCOUNT_DO=cancel its subscription ends with the billing period, with HEADCOUNT_DO=resume it does not after all; then
// that is printed in words. Needs HEADCOUNT_API (base address) and HEADCOUNT_SEATS_API_KEY, and Node 18 or newer.
const { HEADCOUNT_API, HEADCOUNT_SEATS_API_KEY, HEADCOUNT_DO = "portal" } = process.env;

const request = { method: "POST", headers: { Authorization: `Bearer ${HEADCOUNT_SEATS_API_KEY}` } };

// To cancel or to resume twice is to do it once.
async function send(url, attempts = 3) {
  const response = await fetch(url, request).catch((error) => {
    if (attempts === 1) throw error;
  });
  const isAnswer = response && ![429, 503].includes(response.status);
  if (isAnswer || attempts === 1) return response;
  const seconds = Number(response?.headers.get("Retry-After") ?? 1);
  await new Promise((resolve) => setTimeout(resolve, seconds * 1000));
  return send(url, attempts - 1);
}

const response = await send(`${HEADCOUNT_API}/billing/${HEADCOUNT_DO}`);
const body = await response.json();
if (response.ok) {
  console.log(body.data.url ?? body.data.message);
} else {
  console.error(`${response.status} ${body.error}: ${body.message}`);
  process.exitCode = 1;
}
