// Seats, billing record and idempotency record, in one transaction.
import { createHash, createHmac } from "node:crypto";
import { TransactionCanceledException, TransactWriteItemsCommand } from "@aws-sdk/client-dynamodb";
import { marshall, unmarshall } from "@aws-sdk/util-dynamodb";
import { client, TABLE } from "./table.mjs";

const TIERS = Object.fromEntries(JSON.parse(process.env.TIERS).map((tier) => [tier.name, tier]));
const GRACE = Number(process.env.PAST_DUE_GRACE_DAYS) * 86_400_000;
const ROUTE = "POST /accounts/create";
const ALL_OLD = { ReturnValuesOnConditionCheckFailure: "ALL_OLD" };
const micros = (date) => date.toISOString().replace("Z", "000Z");

export function keyed(organization, key, body, now) {
  return {
    name: `${organization}#${ROUTE}#${createHash("sha256").update(key).digest("hex")}`,
    fingerprint: createHmac("sha256", process.env.FINGERPRINT_KEY).update(body).digest("hex"),
    expires_at: Math.ceil(now.getTime() / 1000) + 86_400,
  };
}

const record = (request, answer, now) => ({
  Put: {
    TableName: TABLE,
    Item: marshall({
      pk: `IDEMPOTENCY#${request.name}`,
      sk: "IDEMPOTENCY",
      fingerprint: request.fingerprint,
      status: 200,
      body: answer,
      expires_at: request.expires_at,
    }),
    ConditionExpression: "attribute_not_exists(pk) OR expires_at <= :now",
    ExpressionAttributeValues: marshall({ ":now": Math.floor(now.getTime() / 1000) }),
    ...ALL_OLD,
  },
});

function billing(organization, seats, now) {
  const basic = seats.filter((seat) => seat.tier === "basic").length;
  const premium = seats.length - basic;
  return {
    Update: {
      TableName: TABLE,
      Key: marshall({ pk: `ORG#${organization}`, sk: "BILLING" }),
      UpdateExpression:
        "SET seats_basic = seats_basic + :basic, seats_premium = seats_premium + :premium, " +
        "seats_left = seats_left - :all, cents_left = if_not_exists(cents_left, :unlimited) - :cents, " +
        "version = version + :one, behind_since = if_not_exists(behind_since, :now), " +
        "behind_shard = :shard, updated_at = :now",
      ConditionExpression:
        "(subscription_status IN (:active, :trialing) OR (subscription_status = :past_due " +
        "AND (attribute_not_exists(past_due_since) OR past_due_since > :cutoff))) AND seats_left >= :all " +
        "AND (attribute_not_exists(cents_left) OR cents_left >= :cents)",
      ExpressionAttributeValues: marshall({
        ":basic": basic,
        ":premium": premium,
        ":all": seats.length,
        ":unlimited": 1_000_000_000_000_000_000n,
        ":cents": basic * TIERS.basic.unit_amount + premium * TIERS.premium.unit_amount,
        ":one": 1,
        ":now": micros(now),
        ":shard": organization.at(-1),
        ":active": "active",
        ":trialing": "trialing",
        ":past_due": "past_due",
        ":cutoff": micros(new Date(now.getTime() - GRACE)),
      }),
      ...ALL_OLD,
    },
  };
}

const put = (organization, seat, now) => ({
  Put: {
    TableName: TABLE,
    Item: marshall(
      {
        pk: `ORG#${organization}`,
        sk: `SEAT#${seat.id}`,
        organization,
        ...seat,
        device_type: TIERS[seat.tier].device_type,
        created_at: micros(now),
        updated_at: micros(now),
      },
      { removeUndefinedValues: true },
    ),
    ConditionExpression: "attribute_not_exists(pk)",
    ...ALL_OLD,
  },
});

// Returns the refusal, or the answer that an earlier request of the same key left, or nothing.
export async function commit(organization, seats, request, answer, now) {
  const actions = request ? [record(request, answer, now)] : [];
  actions.push(billing(organization, seats, now), ...seats.map((seat) => put(organization, seat, now)));
  try {
    await client.send(new TransactWriteItemsCommand({ TransactItems: actions }));
    return {};
  } catch (error) {
    if (!(error instanceof TransactionCanceledException)) throw error;
    return refusal(error.CancellationReasons ?? [], request, seats);
  }
}

function refusal(reasons, request, seats) {
  const failed = reasons.map((reason) => reason.Code === "ConditionalCheckFailed");
  if (request && failed[0]) {
    const kept = unmarshall(reasons[0].Item);
    return kept.fingerprint === request.fingerprint ? { stored: kept.body } : { refused: "idempotency_key_reused" };
  }
  const at = request ? 1 : 0;
  if (!failed[at]) throw new Error("the transaction was cancelled for another reason");
  const row = reasons[at].Item && unmarshall(reasons[at].Item);
  const active = row && ["active", "trialing", "past_due"].includes(row.subscription_status);
  if (!active) return { refused: "no_billing" };
  return { refused: row.seats_left < seats.length ? "seat_limit_reached" : "spending_limit_reached" };
}
