// Seats API: gives a seat back and prints its id. Where seats end with the billing period, says when on stderr.
// Needs HEADCOUNT_API (base address), HEADCOUNT_SEATS_API_KEY and HEADCOUNT_ACCOUNT_ID, and Node 18 or newer. With
// HEADCOUNT_REVOKE=true the seat stays after all.
import { randomUUID } from "node:crypto";

const { HEADCOUNT_API, HEADCOUNT_SEATS_API_KEY, HEADCOUNT_ACCOUNT_ID, HEADCOUNT_REVOKE } = process.env;

const request = {
  method: "POST",
  headers: {
    Authorization: `Bearer ${HEADCOUNT_SEATS_API_KEY}`,
    "Content-Type": "application/json",
    // One key per intent: however often the request is sent, it has one answer.
    "Idempotency-Key": randomUUID(),
  },
  body: JSON.stringify({ account_id: HEADCOUNT_ACCOUNT_ID, revoke: HEADCOUNT_REVOKE === "true" }),
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

const response = await send(`${HEADCOUNT_API}/billing/deactivate`);
const body = await response.json();
if (response.ok) {
  console.log(body.data.account_id);
  if (body.data.ends_at) console.error(`ends at ${body.data.ends_at}`);
} else {
  console.error(`${response.status} ${body.error}: ${body.message}`);
  for (const fault of body.errors ?? []) console.error(`  ${fault.field}: ${fault.message}`);
  process.exitCode = 1;
}
