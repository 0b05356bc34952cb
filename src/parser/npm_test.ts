import { assert, assertEquals } from "@std/assert";
import { dagFile, dagsFolder } from "../../tests/support/dags_folder.ts";
import { bundleKey, bundleNpm, unpackBundle } from "../contract/bundle.ts";

Deno.test("a DAG file can import npm packages, locked with all that they need", async () => {
  await using at = await dagsFolder({
    "deno.json": JSON.stringify({ imports: { "cron": "npm:cron-parser@5.10.5" } }),
    "a.ts": dagFile("a", "1", `import { CronExpressionParser } from "cron";\n`) +
      `CronExpressionParser.parse("0 0 * * *");\n`,
    "b.ts": dagFile("b", "1", `import "npm:cron-parser@5.10.5";\n`),
    "c.ts": dagFile("c"),
  });
  await at.parser().runOnce();

  assertEquals([...at.store.importErrors.values()], []);
  const hash = at.store.dags.get("a")!.bundleHash;
  const npm = bundleNpm(unpackBundle(hash, await at.objects.get(bundleKey(hash))))!;
  assertEquals(npm.imports, { cron: "npm:cron-parser@5.10.5" });
  const locked = Object.keys(npm.lock.npm).map((id) => id.replace(/@[^@]+$/, ""));
  assertEquals(locked.toSorted(), ["cron-parser", "luxon"]);
});

Deno.test("a lock that leads to the same packages makes no new version", async () => {
  await using at = await dagsFolder({
    "a.ts": dagFile("a", "1", `import "npm:cron-parser@5.10.5";\n`),
    "c.ts": dagFile("c"),
  });
  const parser = at.parser();
  await parser.runOnce();
  const [{ key }] = await Array.fromAsync(at.objects.list("locks/"));
  await at.write({ "deno.lock": new TextDecoder().decode(await at.objects.get(key)) });
  const { parsed } = await parser.runOnce();

  assertEquals(parsed, ["a.ts"]);
  assertEquals([...at.store.importErrors.values()], []);
  assertEquals(at.store.dags.get("a")!.versionNumber, 1);
});

Deno.test("a package that cannot be had is an error of its file, and tried again", async () => {
  await using at = await dagsFolder({
    "a.ts": dagFile("a", "1", `import "npm:zod@0.0.0-none";\n`),
    "c.ts": dagFile("c"),
  });
  await at.parser().runOnce();

  assertEquals([...at.store.dags.keys()], ["c"]);
  const { message } = at.store.importErrors.get("a.ts")!;
  assert(message.includes("zod@0.0.0-none"), message);
  assertEquals(at.store.files.get("a.ts")!.fingerprint, null);
});
