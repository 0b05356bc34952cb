/** @module Is a webhook's call signed with its secret? */
import { Buffer } from "node:buffer";
import { createHmac, timingSafeEqual } from "node:crypto";
import type { SignatureSpec } from "../model/watch_spec.ts";

/** A signed time may be off by so much. */
const TOLERANCE_MS = 300_000;

/** True when a signature of the call is right and, where it is dated, of these minutes. */
export function isSigned(
  spec: SignatureSpec,
  { headers, body, secret, now }: {
    headers: Headers;
    body: Uint8Array;
    secret: string;
    now: Date;
  },
): boolean {
  switch (spec.kind) {
    case "header": {
      const given = headers.get(spec.header);
      if (given === null || !given.startsWith(spec.prefix)) return false;
      const right = createHmac(spec.algorithm, secret).update(body).digest();
      return isSame(given.slice(spec.prefix.length), right, spec.encoding);
    }
    case "standard": {
      const [id, at] = [headers.get("webhook-id"), headers.get("webhook-timestamp")];
      if (id === null || !isRecent(at, now)) return false;
      const right = createHmac("sha256", keyOf(secret)).update(`${id}.${at}.`).update(body)
        .digest();
      return (headers.get("webhook-signature") ?? "").split(" ").some((one) =>
        one.startsWith("v1,") && isSame(one.slice(3), right, "base64")
      );
    }
    case "stripe": {
      const parts = (headers.get("stripe-signature") ?? "").split(",").map((one) => one.split("="));
      const at = parts.find(([name]) => name === "t")?.[1] ?? null;
      if (!isRecent(at, now)) return false;
      const right = createHmac("sha256", secret).update(`${at}.`).update(body).digest();
      return parts.some(([name, value]) => name === "v1" && isSame(value ?? "", right, "hex"));
    }
  }
}

/** Of Standard Webhooks: `whsec_` and the key in base64. */
function keyOf(secret: string): string | Buffer {
  return secret.startsWith("whsec_") ? Buffer.from(secret.slice(6), "base64") : secret;
}

function isRecent(seconds: string | null, now: Date): boolean {
  return seconds !== null && /^\d{1,12}$/.test(seconds) &&
    Math.abs(now.getTime() - Number(seconds) * 1000) <= TOLERANCE_MS;
}

function isSame(given: string, right: Buffer, encoding: "hex" | "base64"): boolean {
  const bytes = Buffer.from(given, encoding);
  return bytes.length === right.length && timingSafeEqual(bytes, right);
}
