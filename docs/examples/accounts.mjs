// Identity API: an administrator lists the active accounts, page by page; prints their ids.
// Needs HEADCOUNT_API (base address) and HEADCOUNT_ADMIN_TOKEN, and Node 18 or newer. HEADCOUNT_PAGE is how many a page has,
// 100 otherwise.
const { HEADCOUNT_API, HEADCOUNT_ADMIN_TOKEN, HEADCOUNT_PAGE = "100" } = process.env;

async function send(url, request, attempts = 3) {
  const response = await fetch(url, request).catch((error) => {
    if (attempts === 1) throw error;
  });
  const isAnswer = response && ![429, 503].includes(response.status);
  if (isAnswer || attempts === 1) return response;
  const seconds = Number(response?.headers.get("Retry-After") ?? 1);
  await new Promise((resolve) => setTimeout(resolve, seconds * 1000));
  return send(url, request, attempts - 1);
}

const query = new URLSearchParams({ status: "active", limit: HEADCOUNT_PAGE });
while (true) {
  const response = await send(`${HEADCOUNT_API}/v1/accounts?${query}`, {
    headers: { Authorization: `Bearer ${HEADCOUNT_ADMIN_TOKEN}` },
  });
  const body = await response.json();
  if (!response.ok) {
    console.error(`${response.status} ${body.error}: ${body.message}`);
    for (const fault of body.details ?? []) console.error(`  ${fault.field}: ${fault.message}`);
    process.exitCode = 1;
    break;
  }
  for (const account of body.data) console.log(account.id);
  // A page may be empty, and not the last one.
  if (!body.has_more) break;
  query.set("cursor", body.next_cursor);
}
