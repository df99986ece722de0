// Agency API: creates a sub-account and prints its lcuid.
// Needs HEADCOUNT_API (base address), HEADCOUNT_AGENCY_TOKEN, HEADCOUNT_AGENCY_APP_ID (the app the token belongs to),
// HEADCOUNT_AGENCY_LCUID and HEADCOUNT_PARENT_ACCOUNT_LCUID, and Node 18 or newer.
import { randomUUID } from "node:crypto";

const {
  HEADCOUNT_API,
  HEADCOUNT_AGENCY_TOKEN,
  HEADCOUNT_AGENCY_APP_ID,
  HEADCOUNT_AGENCY_LCUID,
  HEADCOUNT_PARENT_ACCOUNT_LCUID,
} = process.env;

const request = {
  method: "POST",
  headers: {
    Authorization: `Bearer ${HEADCOUNT_AGENCY_TOKEN}`,
    AppIdV3: HEADCOUNT_AGENCY_APP_ID,
    "Content-Type": "application/json",
    Accept: "application/json",
    // One key per intent: however often the request is sent, one account is created.
    "Idempotency-Key": randomUUID(),
  },
  body: JSON.stringify({
    name: "My New Account",
    description: "My New Account Description",
    agency_lcuid: HEADCOUNT_AGENCY_LCUID,
    website: "https://www.mynewaccount.com",
    parent_account_lcuid: HEADCOUNT_PARENT_ACCOUNT_LCUID,
  }),
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

const response = await send(`${HEADCOUNT_API}/api/v3/accounts`);
const body = await response.json();
if (response.ok) {
  console.log(body.account.lcuid);
} else {
  console.error(`${response.status}: ${body.message}`);
  for (const [field, messages] of Object.entries(body.errors ?? {})) console.error(`  ${field}: ${messages.join(" ")}`);
  process.exitCode = 1;
}
