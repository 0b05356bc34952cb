/**
 * @module Writes src/store/schema.sql, the schema that the migrations make.
 *
 * `deno run -A tools/schema_dump.ts` writes it; with `--check` it exits with 1 where it differs.
 */
import { testDatabase } from "../tests/support/database.ts";
import { schemaText } from "../src/store/schema_text.ts";

const file = new URL("../src/store/schema.sql", import.meta.url);

/** The first line in which two texts differ, for people; null where they are equal. */
export function firstDifference(committed: string, made: string): string | null {
  if (committed === made) return null;
  const [ours, theirs] = [committed.split("\n"), made.split("\n")];
  const at = ours.findIndex((line, index) => line !== theirs[index]);
  const index = at < 0 ? ours.length : at;
  return `line ${index + 1}:\n- ${ours[index] ?? "(end)"}\n+ ${theirs[index] ?? "(end)"}`;
}

/** What schema.sql should be. */
export async function schemaOfMigrations(): Promise<string> {
  await using db = await testDatabase();
  return await schemaText(db.sql);
}

if (import.meta.main) {
  const made = await schemaOfMigrations();
  if (!Deno.args.includes("--check")) {
    await Deno.writeTextFile(file, made);
  } else {
    const difference = firstDifference(await Deno.readTextFile(file).catch(() => ""), made);
    if (difference !== null) {
      console.error(`src/store/schema.sql is not what the migrations make, ${difference}`);
      console.error("Run deno run -A tools/schema_dump.ts and commit the file");
      Deno.exit(1);
    }
  }
}
