// Seats API: gives a seat another tag, makes it premium, and prints its id.
// Needs HEADCOUNT_API (base address), HEADCOUNT_SEATS_API_KEY, HEADCOUNT_ACCOUNT_ID and HEADCOUNT_TAG, and Node 18 or
// newer.
import { randomUUID } from "node:crypto";

const { HEADCOUNT_API, HEADCOUNT_SEATS_API_KEY, HEADCOUNT_ACCOUNT_ID, HEADCOUNT_TAG } = process.env;

const request = {
  method: "POST",
  headers: {
    Authorization: `Bearer ${HEADCOUNT_SEATS_API_KEY}`,
    "Content-Type": "application/json",
    // One key per intent: however often the request is sent, it has one answer.
    "Idempotency-Key": randomUUID(),
  },
  body: JSON.stringify({ updates: [{ accountId: HEADCOUNT_ACCOUNT_ID, tag: HEADCOUNT_TAG, tier: "premium" }] }),
};

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

const response = await send(`${HEADCOUNT_API}/accounts/update-info`);
const body = await response.json();
if (response.ok) {
  // Each update is done or refused by itself.
  for (const result of body.data.results) {
    if (result.success) {
      console.log(result.accountId);
      continue;
    }
    console.error(`${result.accountId} ${result.error}`);
    for (const fault of result.errors) console.error(`  ${fault.field}: ${fault.message}`);
    process.exitCode = 1;
  }
} else {
  console.error(`${response.status} ${body.error}: ${body.message}`);
  for (const fault of body.errors ?? []) console.error(`  ${fault.field}: ${fault.message}`);
  process.exitCode = 1;
}
