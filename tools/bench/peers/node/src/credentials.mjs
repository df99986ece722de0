// Who calls, with a memory of 30 seconds.
import { createHash, timingSafeEqual } from "node:crypto";
import { GetItemCommand } from "@aws-sdk/client-dynamodb";
import { unmarshall } from "@aws-sdk/util-dynamodb";
import { client, TABLE } from "./table.mjs";

const MEMORY = 30_000;
const remembered = new Map();

export async function authenticate(header) {
  const match = /^bearer +hc_([0-9a-z]{26})_([0-9a-fA-F]{64})$/i.exec(header?.trim() ?? "");
  if (!match) return null;
  const [, id, secret] = match;
  const kept = await lookUp(id);
  const hash = createHash("sha256").update(secret).digest();
  const expected = kept ? Buffer.from(kept.secret_hash, "hex") : Buffer.alloc(32);
  const same = timingSafeEqual(hash, expected);
  const valid = kept && !kept.revoked && (!kept.valid_until || new Date() < new Date(kept.valid_until));
  return same && valid ? kept : null;
}

async function lookUp(id) {
  const known = remembered.get(id);
  if (known && Date.now() - known.since < MEMORY) return known.credential;
  const key = { pk: { S: `CREDENTIAL#${id}` }, sk: { S: "CREDENTIAL" } };
  const { Item } = await client.send(new GetItemCommand({ TableName: TABLE, Key: key, ConsistentRead: true }));
  if (!Item) return null;
  const credential = unmarshall(Item);
  if (remembered.size >= 1000) remembered.clear();
  remembered.set(id, { since: Date.now(), credential });
  return credential;
}
