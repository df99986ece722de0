// POST /accounts/create, for requests of one transaction.
import { ulid } from "ulid";
import { commit, keyed } from "./commit.mjs";
import { authenticate } from "./credentials.mjs";
import { createSeats } from "./seats.mjs";

const MOST_SEATS = 98;
const STATUS = {
  invalid_request: 400,
  missing_detail_fields: 400,
  unauthorized: 401,
  no_billing: 402,
  forbidden: 403,
  seat_limit_reached: 409,
  spending_limit_reached: 409,
  payload_too_large: 413,
  unsupported_media_type: 415,
  idempotency_key_reused: 422,
};

export async function handler(event, requestId) {
  const answer = await create(event);
  console.log(JSON.stringify({ level: "INFO", message: "answered", requestId, status: answer.statusCode }));
  const headers = { "content-type": "application/json", "x-request-id": requestId };
  return { ...answer, headers: { ...headers, ...answer.headers }, isBase64Encoded: false };
}

async function create(event) {
  const { headers } = event;
  const credential = await authenticate(headers.authorization);
  if (credential?.holder.kind !== "organization") return refused("unauthorized");
  if (!credential.permissions.includes("accounts:create")) return refused("forbidden");

  const body = Buffer.from(event.body ?? "", event.isBase64Encoded ? "base64" : "utf8");
  if (!/^application\/json(;\s*charset="?utf-?8"?)?$/i.test(headers["content-type"] ?? "")) {
    return refused("unsupported_media_type");
  }
  if (body.length > 256 * 1024) return refused("payload_too_large");
  const parsed = read(body);
  if (!parsed?.success || parsed.data.accounts.length > MOST_SEATS) return invalid(parsed?.error?.issues ?? []);

  const now = new Date();
  const { organization } = credential.holder;
  const seats = parsed.data.accounts.map((seat) => ({
    id: `acc_${ulid(now.getTime()).toLowerCase()}`,
    status: seat.platform ? "pending" : "uninitialized",
    ...Object.fromEntries(Object.entries(seat).filter(([, value]) => value != null)),
  }));
  const views = JSON.stringify(
    seats.map(({ id, tier, status, platform = null, username = null }) => ({ id, tier, status, platform, username })),
  );
  const key = headers["idempotency-key"];
  if (key !== undefined && !/^[\x21-\x7e]{1,255}$/.test(key)) return refused("invalid_request");
  const request = key === undefined ? undefined : keyed(organization, key, body, now);
  const result = await commit(organization, seats, request, views, now);
  if (result.refused) return refused(result.refused);
  return created(JSON.parse(result.stored ?? views), result.stored !== undefined);
}

function read(body) {
  try {
    return createSeats.safeParse(JSON.parse(body.toString("utf8")));
  } catch {
    return undefined;
  }
}

const created = (accounts, replayed) => ({
  statusCode: 200,
  headers: replayed ? { "idempotency-replayed": "true" } : {},
  body: JSON.stringify({
    ok: true,
    code: 200,
    message: "Success",
    data: {
      message: `Successfully created ${accounts.length} account(s)`,
      successful: accounts.length,
      failed: 0,
      accounts,
    },
  }),
});

function refused(error, errors) {
  const code = STATUS[error];
  return { statusCode: code, body: JSON.stringify({ ok: false, code, message: error, error, errors }) };
}

function invalid(issues) {
  const errors = issues.map(({ path, message }) => ({
    index: typeof path[1] === "number" ? path[1] : null,
    field: String(path.at(-1) ?? "accounts"),
    rule: message,
    message,
  }));
  const incomplete = errors.some(({ rule }) => rule === "required_in_group");
  return refused(incomplete ? "missing_detail_fields" : "invalid_request", errors);
}
