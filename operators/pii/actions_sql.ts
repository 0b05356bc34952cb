/** @module Actions on personal data as SQL. The key is in a table of the engine, never in a text. */
import { createHash } from "node:crypto";
import { AppError } from "../../src/model/errors.ts";
import type { TaskContext } from "../../src/sdk/context.ts";
import { literal } from "../table/sql.ts";
import type { PiiClass } from "./classes.ts";
import type { PiiAction } from "./policy.ts";

const KEY_TABLE = "pii_key";
const BLOCK_BYTES = 64;
const KEY_CHARS_MIN = 16;

/** Give the engine the key of this task's hashes. Throws INVALID for one that can be guessed. */
export async function setPiiKey(engine: TaskContext["engine"], key: string): Promise<void> {
  if (key.length < KEY_CHARS_MIN) {
    throw new AppError(
      "INVALID",
      `Cannot hash personal data: the key has ${key.length} characters, at least ` +
        `${KEY_CHARS_MIN} are needed`,
    );
  }
  const bytes = new TextEncoder().encode(key);
  const short = bytes.length > BLOCK_BYTES ? createHash("sha256").update(bytes).digest() : bytes;
  const block = new Uint8Array(BLOCK_BYTES);
  block.set(short);
  const padded = (mask: number) => block.map((byte) => byte ^ mask).toHex();
  await engine.run(
    `CREATE OR REPLACE TEMP TABLE ${KEY_TABLE} AS ` +
      `SELECT unhex(?::VARCHAR) AS inner_key, unhex(?::VARCHAR) AS outer_key`,
    { params: [padded(0x36), padded(0x5c)] },
  );
}

/** The value `v` of a column after an action; null stays null. */
export function actionSql(
  action: Exclude<PiiAction, "keep" | "drop">,
  v: string,
  { kind, type }: { kind: PiiClass | null; type: string },
): string {
  switch (action) {
    case "mask":
      return maskSql(`${v}::VARCHAR`, kind);
    case "hash":
      return hmacSql(`${v}::VARCHAR`);
    case "tokenise": {
      const token = `left(${hmacSql(`'${kind ?? "value"}:' || ${v}::VARCHAR`)}, 20)`;
      return `${literal(`${kind ?? "value"}_`)} || ${token}`;
    }
    case "truncate":
      return truncateSql(v, kind, type);
  }
}

/** HMAC-SHA-256 as hexadecimal digits. */
function hmacSql(text: string): string {
  const inner = `unhex(sha256((SELECT inner_key FROM ${KEY_TABLE}) || encode(${text})))`;
  return `sha256((SELECT outer_key FROM ${KEY_TABLE}) || ${inner})`;
}

const showEnd: ReadonlySet<PiiClass> = new Set(["card", "iban", "phone", "account"]);

function maskSql(text: string, kind: PiiClass | null): string {
  if (kind === "email") {
    return `CASE WHEN contains(${text}, '@') ` +
      `THEN '***@' || regexp_replace(${text}, '^.*@', '') ELSE regexp_replace(${text}, '(?s).+', '***') END`;
  }
  if (kind !== null && showEnd.has(kind)) {
    return `CASE WHEN length(${text}) > 8 ` +
      `THEN repeat('*', length(${text}) - 4) || right(${text}, 4) ` +
      `ELSE regexp_replace(${text}, '(?s).+', '***') END`;
  }
  return `regexp_replace(${text}, '(?s).+', '***')`;
}

function truncateSql(v: string, kind: PiiClass | null, type: string): string {
  if (/^(?:DATE|TIMESTAMP)/.test(type)) return `date_trunc('year', ${v})::${type}`;
  if (type !== "VARCHAR") {
    throw new AppError(
      "INVALID",
      `Cannot truncate a column of ${type}: dates, timestamps and texts can be; mask or drop it`,
    );
  }
  if (kind === "ip") {
    return `CASE WHEN contains(${v}, ':') THEN regexp_extract(${v}, '^((?:[^:]*:){3})', 1) || ':' ` +
      `ELSE regexp_replace(${v}, '\\.\\d+$', '.0') END`;
  }
  return `left(${v}, 3)`;
}
