// Identity API: an account logs in, gets new tokens, looks at itself and its sessions, and logs out; prints its id.
// Needs HEADCOUNT_API (base address), HEADCOUNT_EMAIL and HEADCOUNT_PASSWORD, and Node 18 or newer.
const { HEADCOUNT_API, HEADCOUNT_EMAIL, HEADCOUNT_PASSWORD } = process.env;

async function send(path, request, attempts = 3) {
  const response = await fetch(HEADCOUNT_API + path, request).catch((error) => {
    if (attempts === 1) throw error;
  });
  const isAnswer = response && ![429, 503].includes(response.status);
  if (isAnswer || attempts === 1) return response;
  const seconds = Number(response?.headers.get("Retry-After") ?? 1);
  await new Promise((resolve) => setTimeout(resolve, seconds * 1000));
  return send(path, request, attempts - 1);
}

async function call(path, request) {
  const response = await send(path, request);
  const body = await response.json();
  if (response.ok) return body;
  console.error(`${response.status} ${body.error}: ${body.message}`);
  process.exit(1);
}

let tokens = await call("/v1/auth/login", {
  method: "POST",
  headers: { "Content-Type": "application/json" },
  body: JSON.stringify({ email: HEADCOUNT_EMAIL, password: HEADCOUNT_PASSWORD }),
});
// Within the hour: both tokens are new, and the old ones end.
const refresh = { Authorization: `Bearer ${tokens.refresh_token}` };
tokens = await call("/v1/auth/refresh", { method: "POST", headers: refresh });
const headers = { Authorization: `Bearer ${tokens.access_token}` };
const account = await call("/v1/account", { headers });
const sessions = await call("/v1/auth/sessions", { headers });
console.error(`${sessions.data.length} session(s)`);
await call("/v1/auth/session", { method: "DELETE", headers });
console.log(account.id);
