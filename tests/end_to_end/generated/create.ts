// Creates an account in each API through the client that was generated in TypeScript, and prints the ids as JSON.

import assert from "node:assert/strict";

import { createClient } from "./client/client/index.ts";
import { createAccount, createAgencyAccount, createSeats, type Account, type CreateSeats } from "./client/index.ts";

function given(name: string): string {
  const value = process.env[name];
  assert(value, `${name} is missing`);
  return value;
}

const baseUrl = given("HEADCOUNT_API");

async function seats(): Promise<string[]> {
  const client = createClient({ baseUrl, auth: given("HEADCOUNT_SEATS_API_KEY") });
  const body: CreateSeats = {
    accounts: [
      { tier: "basic" },
      {
        tier: "premium",
        platform: "tiktok",
        username: "generated.typescript",
        pfp_url: "https://example.com/avatar.jpg",
        keywords: "fitness,health",
        sex: "other",
        tag: null,
      },
    ],
  };
  const { data, error } = await createSeats({ client, body, headers: { "Idempotency-Key": given("RUN") } });
  assert(data, error?.message);
  const created: number = data.data.successful;
  assert.deepEqual([created, data.data.failed, data.ok], [2, 0, true]);
  assert.deepEqual(data.data.accounts.map((seat) => seat.tier), ["basic", "premium"]);
  assert.equal(data.data.accounts[0]?.username, null);
  return data.data.accounts.map((seat) => seat.id);
}

async function agencyAccount(): Promise<string> {
  const client = createClient({ baseUrl, auth: given("HEADCOUNT_AGENCY_TOKEN") });
  const body = { name: "Generated in TypeScript", agency_lcuid: given("HEADCOUNT_AGENCY_LCUID") };
  const headers = { AppIdV3: given("HEADCOUNT_AGENCY_APP_ID") };
  const { data, error } = await createAgencyAccount({ client, body, headers });
  assert(data, error?.message);
  assert.deepEqual([data.account.name, data.account.website], [body.name, null]);
  return data.account.lcuid;
}

async function account(): Promise<string> {
  // Anyone may sign up: without a token.
  const { data, error } = await createAccount({
    client: createClient({ baseUrl }),
    body: {
      email: given("HEADCOUNT_EMAIL"),
      name: "Generated in TypeScript",
      type: "individual",
      password: "made by a generator, once",
      settings: { language: "de" },
    },
  });
  assert(data, error?.message);
  const created: Account = data;
  assert.deepEqual([created.type, created.settings.language], ["individual", "de"]);
  return created.id;
}

console.log(JSON.stringify({ seats: await seats(), agency: await agencyAccount(), identity: await account() }));
