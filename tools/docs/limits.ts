/** @module The page of limits, with the comments of `src/base/limits.ts`. */
import { limits } from "../../src/base/limits.ts";
import { code, page, table } from "./markdown.ts";
import { memberDocs } from "./member_docs.ts";

const source = new URL("../../src/base/limits.ts", import.meta.url);

/** `docs/reference/limits.md`. */
export async function limitsPage(): Promise<string> {
  const docs = memberDocs(await Deno.readTextFile(source), "export const limits");
  const rows = docs.map(({ name, doc }) => [
    code(name),
    amountText(name, limits[name as keyof typeof limits]),
    doc,
  ]);
  return page(
    "Limits",
    "Everything that waits, queues, repeats or grows has a bound. These are all of them that are the " +
      "same everywhere; a task's own (retries, timeout, memory) are in [Operators](operators.md).",
    table(["limit", "value", "what it bounds"], rows),
  );
}

/** 20_000 as "20 s" where the name ends in Ms, 65_536 as "64 KiB" where it ends in Bytes. */
export function amountText(name: string, amount: number): string {
  if (/Bytes/.test(name)) {
    return scaled(amount, [[2 ** 30, "GiB"], [2 ** 20, "MiB"], [1024, "KiB"]]);
  }
  if (/Ms/.test(name)) {
    return scaled(amount, [[3_600_000, "h"], [60_000, "min"], [1000, "s"]], "ms");
  }
  return String(amount);
}

function scaled(amount: number, units: readonly [number, string][], least = "bytes"): string {
  const [size, unit] = units.find(([size]) => amount % size === 0) ?? [1, least];
  return `${amount / size} ${unit}`;
}
