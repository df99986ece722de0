// What a seat may be (the rules of the Seats API).
import { z } from "zod";

const PLATFORMS = process.env.PLATFORMS.split(",");
const FORBIDDEN =
  /[\p{Cc}\u202A-\u202E\u2066-\u2069\u200B\u2060\uFEFF\u2028\u2029\u{E0000}-\u{E007F}\uFDD0-\uFDEF]|[\uFFFE\uFFFF]/u;
const PRIVATE_HOST =
  /^(10\.|127\.|169\.254\.|192\.168\.|172\.(1[6-9]|2\d|3[01])\.|0\.|\[(::1?|f[cd]|fe[89ab]))/i;

const line = (max, lines = false) =>
  z
    .string()
    .transform((text) => text.trim().normalize("NFC"))
    .refine((text) => !FORBIDDEN.test(lines ? text.replace(/[\n\t]/g, "") : text), "forbidden_character")
    .refine((text) => [...text].length >= 1 && [...text].length <= max, "length");

const webUrl = line(2048).refine((text) => {
  if (!/^https?:\/\/[^/]/i.test(text) || !URL.canParse(text)) return false;
  const url = new URL(text);
  return !url.username && !url.password && !PRIVATE_HOST.test(url.host);
}, "url");

const keywords = z.string().transform((text, context) => {
  const parts = text.split(",");
  const parsed = parts.map((part) => line(64).safeParse(part));
  if (parts.length > 50 || parsed.some((part) => !part.success)) {
    context.addIssue({ code: "custom", message: "keywords" });
    return z.NEVER;
  }
  return parsed.map((part) => part.data).join(",");
});

const ageRange = line(16).refine((text) => {
  const match = /^(\d+)-(\d+)$/.exec(text);
  return match && Number(match[1]) <= Number(match[2]) && Number(match[2]) <= 120;
}, "age_range");

const choice = (names) => z.string().transform((text) => text.trim()).pipe(z.enum(names));
const DETAILS = ["platform", "username", "pfp_url", "keywords"];

const seat = z
  .strictObject({
    tier: choice(["basic", "premium"]),
    platform: choice(PLATFORMS).nullish(),
    username: z
      .string()
      .transform((text) => text.trim().replace(/^@/, ""))
      .pipe(z.string().regex(/^[A-Za-z0-9._-]{1,64}$/))
      .nullish(),
    pfp_url: webUrl.nullish(),
    keywords: keywords.nullish(),
    nick_name: line(64).nullish(),
    age_range: ageRange.nullish(),
    sex: choice(["male", "female", "other"]).nullish(),
    location: line(128).nullish(),
    description: line(1000, true).nullish(),
    tag: line(64).nullish(),
    org_group: line(64).nullish(),
  })
  .superRefine((seat, context) => {
    const present = DETAILS.filter((field) => seat[field] != null);
    if (present.length === 0) return;
    for (const field of DETAILS.filter((field) => seat[field] == null)) {
      context.addIssue({ code: "custom", path: [field], message: "required_in_group" });
    }
  });

export const createSeats = z
  .strictObject({ accounts: z.array(seat).min(1).max(1000), quote_id: z.string().nullish() })
  .superRefine(({ accounts }, context) => {
    const seen = new Set();
    accounts.forEach((seat, index) => {
      if (!seat.platform || !seat.username) return;
      const name = `${seat.platform}\0${seat.username.toLowerCase()}`;
      if (seen.has(name)) {
        context.addIssue({ code: "custom", path: ["accounts", index, "username"], message: "duplicate" });
      }
      seen.add(name);
    });
  });
