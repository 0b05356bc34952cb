/** @module Real workbooks of many programs: all that are whole are read. */
import { assert, assertEquals } from "@std/assert";
import { corpus } from "../../../../tests/support/corpora.ts";
import { readAlone } from "../../../../tests/support/converted.ts";
import { ods, xls, xlsx } from "./mod.ts";

const dir = corpus("calamine");

/** Files that cannot be read, and a piece of what is said of them. */
const unreadable: Readonly<Record<string, string>> = {
  "OOM_alloc3.xls": "go astray",
  "issue252.xlsx": "is damaged",
  "issue_385.xls": "behind a password",
  "issue_594_dos.ods": "more than 16384 columns",
  "pass_protected.ods": "behind a password",
  "pass_protected.xlsb": "behind a password",
  "pass_protected.xlsx": "behind a password",
  "too_small.xls": "cut off",
};

Deno.test({ name: "all workbooks that are whole are read", ignore: dir === null }, async () => {
  const failed: string[] = [];
  for (const { name } of Deno.readDirSync(`${dir}/tests`)) {
    const bytes = await Deno.readFile(`${dir}/tests/${name}`);
    const format = [ods, xlsx, xls].toSorted((a, b) =>
      b.recognise(bytes, name) - a.recognise(bytes, name)
    )[0];
    const message = await readAlone(format, bytes).then(() => null, (error) => error.message);
    const wanted = unreadable[name] ?? null;
    if (wanted === null) {
      if (message !== null) failed.push(`${name}: ${message}`);
    } else assert(message?.includes(wanted), `${name}: ${message}`);
  }
  assertEquals(failed, []);
});
