/** @module Types that the engine sees in a Parquet file, as a schema may hold them. */
import { ZONED_NS } from "../../../table/column_type.ts";
import type { Meaning } from "./leaves.ts";

const PART =
  /"(?:[^"]|"")*"|\bTIMESTAMP_NS\b|\bTIME WITH TIME ZONE\b|\bVARIANT\b|\bENUM\((?:'(?:[^']|'')*'(?:, )?)*\)/g;

/**
 * The type with what its timestamps of nanoseconds mean, which are taken from the front of `nanos`;
 * times of day without their zone, which is always UTC; variants as JSON, enums as texts. Names of
 * fields stay as they are.
 */
export function typeSeen(type: string, nanos: Meaning[]): string {
  if (type === '"NULL"') return "VARCHAR";
  return type.replace(PART, (part) => {
    if (part.startsWith('"')) return part;
    if (part.startsWith("ENUM")) return "VARCHAR";
    if (part === "VARIANT") return "JSON";
    if (part === "TIME WITH TIME ZONE") return "TIME";
    const meaning = nanos.shift();
    return meaning === "zoned_ns" ? ZONED_NS : meaning === "time_ns" ? "TIME_NS" : part;
  });
}
