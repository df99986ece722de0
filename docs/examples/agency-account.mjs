// Agency API: renames an account, leaves everything else of it as it is, and prints its lcuid.
// Needs HEADCOUNT_API (base address), HEADCOUNT_AGENCY_TOKEN (with account.update), HEADCOUNT_AGENCY_APP_ID (the app the token
// belongs to), HEADCOUNT_ACCOUNT_LCUID and HEADCOUNT_ACCOUNT_NAME, and Node 18 or newer.
import { randomUUID } from "node:crypto";

const {
  HEADCOUNT_API,
  HEADCOUNT_AGENCY_TOKEN,
  HEADCOUNT_AGENCY_APP_ID,
  HEADCOUNT_ACCOUNT_LCUID,
  HEADCOUNT_ACCOUNT_NAME,
} = process.env;

const request = {
  method: "PUT",
  headers: {
    Authorization: `Bearer ${HEADCOUNT_AGENCY_TOKEN}`,
    AppIdV3: HEADCOUNT_AGENCY_APP_ID,
    "Content-Type": "application/json",
    // One key per intent: however often the request is sent, the account is changed once.
    "Idempotency-Key": randomUUID(),
  },
  body: JSON.stringify({ name: HEADCOUNT_ACCOUNT_NAME }),
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

const response = await send(`${HEADCOUNT_API}/api/v3/accounts/${HEADCOUNT_ACCOUNT_LCUID}`);
const body = await response.json();
if (response.ok) {
  console.log(body.account.lcuid);
} else {
  console.error(`${response.status}: ${body.message}`);
  for (const [field, messages] of Object.entries(body.errors ?? {})) console.error(`  ${field}: ${messages.join(" ")}`);
  process.exitCode = 1;
}
