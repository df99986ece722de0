// Seats API: creates two seats and prints their ids.
// Needs HEADCOUNT_API (base address) and HEADCOUNT_SEATS_API_KEY, and Node 18 or newer.
import { randomUUID } from "node:crypto";

const { HEADCOUNT_API, HEADCOUNT_SEATS_API_KEY } = process.env;

const request = {
  method: "POST",
  headers: {
    Authorization: `Bearer ${HEADCOUNT_SEATS_API_KEY}`,
    "Content-Type": "application/json",
    // One key per intent: however often the request is sent, the seats are created and billed once.
    "Idempotency-Key": randomUUID(),
  },
  body: JSON.stringify({
    accounts: [
      { tier: "basic" },
      {
        tier: "premium",
        platform: "tiktok",
        username: "newcreator",
        pfp_url: "https://example.com/avatar.jpg",
        keywords: "fitness,health,workout",
        nick_name: "New Creator",
        tag: "influencer",
      },
    ],
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

const response = await send(`${HEADCOUNT_API}/accounts/create`);
const body = await response.json();
if (response.ok) {
  for (const account of body.data.accounts) console.log(account.id);
} else {
  console.error(`${response.status} ${body.error}: ${body.message}`);
  for (const fault of body.errors ?? []) console.error(`  seat ${fault.index}, ${fault.field}: ${fault.message}`);
  process.exitCode = 1;
}
