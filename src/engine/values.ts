/** @module Values of the engine as JSON that loses nothing. */
import {
  DuckDBArrayValue,
  DuckDBBlobValue,
  DuckDBListValue,
  DuckDBMapValue,
  DuckDBStructValue,
  DuckDBTimestampTZValue,
  DuckDBUnionValue,
  type DuckDBValue,
} from "@duckdb/node-api";
import type { EngineValue } from "../contract/child.ts";

// Instants are written in UTC, whatever the machine's zone is.
DuckDBTimestampTZValue.timezoneOffsetInMinutes = 0;

/**
 * One value. Integers up to 2^53 are numbers, larger ones strings; decimals, dates, times and UUIDs
 * are strings; blobs are base64; NaN and infinities are strings; maps are arrays of [key, value].
 */
export function engineValue(value: DuckDBValue): EngineValue {
  if (value === null || typeof value === "string" || typeof value === "boolean") return value;
  if (typeof value === "number") return Number.isFinite(value) ? value : String(value);
  if (typeof value === "bigint") {
    return Number.isSafeInteger(Number(value)) ? Number(value) : `${value}`;
  }
  if (value instanceof DuckDBListValue || value instanceof DuckDBArrayValue) {
    return value.items.map(engineValue);
  }
  if (value instanceof DuckDBStructValue) {
    return Object.fromEntries(
      Object.entries(value.entries).map(([name, field]) => [name, engineValue(field)]),
    );
  }
  if (value instanceof DuckDBMapValue) {
    return value.entries.map((entry) => [engineValue(entry.key), engineValue(entry.value)]);
  }
  if (value instanceof DuckDBUnionValue) return engineValue(value.value);
  if (value instanceof DuckDBBlobValue) return (value.bytes as Uint8Array<ArrayBuffer>).toBase64();
  return value.toString();
}
