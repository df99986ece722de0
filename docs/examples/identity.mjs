// Identity API: an administrator creates an account; prints its id.
// Needs HEADCOUNT_API (base address), HEADCOUNT_ADMIN_TOKEN and HEADCOUNT_EMAIL, an address that has no account yet, and
// Node 18 or newer.
import { randomUUID } from "node:crypto";

const { HEADCOUNT_API, HEADCOUNT_ADMIN_TOKEN, HEADCOUNT_EMAIL } = process.env;

const request = {
  method: "POST",
  headers: {
    Authorization: `Bearer ${HEADCOUNT_ADMIN_TOKEN}`,
    "Content-Type": "application/json",
    // One key per intent: a request that is sent again finds its own account, not "email_exists".
    "Idempotency-Key": randomUUID(),
  },
  body: JSON.stringify({
    email: HEADCOUNT_EMAIL,
    name: "Acme Inc.",
    type: "business",
    password: "secure_password_here",
    settings: { currency: "USD", timezone: "America/New_York", language: "en" },
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

const response = await send(`${HEADCOUNT_API}/v1/accounts`);
const body = await response.json();
if (response.ok) {
  console.log(body.id);
} else {
  console.error(`${response.status} ${body.error}: ${body.message}`);
  for (const fault of body.details ?? []) console.error(`  ${fault.field}: ${fault.message}`);
  process.exitCode = 1;
}
