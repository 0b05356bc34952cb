import { assert, assertEquals, assertNotEquals } from "@std/assert";
import { dagFile, dagsFolder } from "../../tests/support/dags_folder.ts";
import { bundleKey, unpackBundle } from "../contract/bundle.ts";

Deno.test("a DAG file becomes a version with its bundle", async () => {
  await using at = await dagsFolder({
    "vendors/eod.ts": dagFile(
      "eod",
      "[query, rates, double(2)]",
      `import query from "./q.sql" with { type: "text" };\n` +
        `import rates from "../rates.json" with { type: "json" };\n` +
        `import { double } from "../lib/math.ts";\n`,
    ),
    "vendors/q.sql": "select 1",
    "rates.json": `{"eur": 1}`,
    "lib/math.ts": "export const double = (n: number): number => n * 2;\n",
    "lib/unused.ts": "export const no = 1;\n",
  });
  await at.parser().runOnce();

  assertEquals(at.store.importErrors.size, 0);
  const dag = at.store.dags.get("eod")!;
  assertEquals([dag.fileloc, dag.versionNumber], ["vendors/eod.ts", 1]);
  assertEquals(dag.current.spec.tasks.map((task) => task.taskId), ["only"]);
  const bundle = unpackBundle(dag.bundleHash, await at.objects.get(bundleKey(dag.bundleHash)));
  assertEquals(bundle.manifest.map((entry) => entry.path), [
    "lib/math.ts",
    "rates.json",
    "vendors/eod.ts",
    "vendors/q.sql",
  ]);
  assertEquals(at.hints, [["eod"]]);
});

Deno.test("only a change of meaning makes a new version", async () => {
  const head = `import { double } from "./lib.ts";\n`;
  await using at = await dagsFolder({
    "a.ts": dagFile("a", "double(2)", head),
    "lib.ts": "export function double(n: number) { return n * 2; }\n",
  });
  const parser = at.parser();
  const versionAfter = async (files: Record<string, string>) => {
    await at.write(files);
    assert((await parser.runOnce()).parsed.includes("a.ts"));
    assertEquals([...at.store.importErrors.values()], []);
    return at.store.dags.get("a")!.versionNumber;
  };

  assertEquals(await versionAfter({}), 1);
  assertEquals(await versionAfter({ "a.ts": "// why\n" + dagFile("a", "double(2)", head) }), 1);
  assertEquals(await versionAfter({ "a.ts": dagFile("a", "double( /* two */ 2 )", head) }), 1);
  assertEquals(
    await versionAfter({
      "types.ts": "export interface Row { n: number }\n",
      "a.ts": dagFile(
        "a",
        "double(2 satisfies number)",
        head + `import { Row } from "./types.ts";
        import { type TaskContext } from "tidewheel";
        export type Mine = Row & TaskContext;\n`,
      ),
    }),
    1,
  );
  assertEquals(
    await versionAfter({ "lib.ts": "export function double(n: number): number { return n*2 }\n" }),
    1,
  );

  assertEquals(
    await versionAfter({ "lib.ts": "export function double(n: number) { return n * 3; }\n" }),
    2,
  );
  assertEquals(await versionAfter({ "a.ts": dagFile("a", "double(4)", head) }), 3);
});

Deno.test("a data file is part of the meaning, also one that is only named", async () => {
  await using at = await dagsFolder({
    "a.ts": dagFile("a", `Deno.readTextFile(new URL("./rates.csv", import.meta.url))`),
    "rates.csv": "1",
  });
  const parser = at.parser();
  await parser.runOnce();
  await at.write({ "rates.csv": "2" });
  await parser.runOnce();

  assertEquals(at.store.dags.get("a")!.versionNumber, 2);
});

Deno.test("parsing the same twice gives the same", async () => {
  const files = { "a.ts": dagFile("a"), "b.ts": dagFile("b") };
  await using one = await dagsFolder(files);
  await using two = await dagsFolder(files);
  await one.parser().runOnce();
  await two.parser().runOnce();

  assertEquals(one.store.files.get("a.ts"), two.store.files.get("a.ts"));
  assertNotEquals(
    one.store.dags.get("a")!.current.meaningHash,
    one.store.dags.get("b")!.current.meaningHash,
  );
});

Deno.test("a file that fails keeps its last good version, until it is mended", async () => {
  await using at = await dagsFolder({ "a.ts": dagFile("a"), "b.ts": dagFile("b") });
  const parser = at.parser();
  await parser.runOnce();
  await at.write({ "a.ts": dagFile("a", "2 +") });
  await parser.runOnce();

  const dag = at.store.dags.get("a")!;
  assertEquals([dag.versionNumber, dag.isStale], [1, false]);
  assertEquals([...at.store.importErrors.keys()], ["a.ts"]);

  await at.write({ "a.ts": dagFile("a", "2 + 2") });
  await parser.runOnce();
  assertEquals(at.store.dags.get("a")!.versionNumber, 2);
  assertEquals(at.store.importErrors.size, 0);
  assertEquals(at.store.dags.get("b")!.versionNumber, 1);
});

Deno.test("DAGs of a file that is gone, or that it no longer declares, become stale", async () => {
  const two = `${dagFile("b")}export const c = dag({ id: "c", schedule: null }, () => {});\n`;
  await using at = await dagsFolder({ "a.ts": dagFile("a"), "b.ts": two });
  const parser = at.parser();
  await parser.runOnce();
  await at.remove("a.ts");
  await at.write({ "b.ts": dagFile("b") });
  const report = await parser.runOnce();

  assertEquals(report, { parsed: ["b.ts"], removed: ["a.ts"] });
  const stale = [...at.store.dags.values()].filter((dag) => dag.isStale).map((dag) => dag.dagId);
  assertEquals(stale.toSorted(), ["a", "c"]);
  // The code of the module that declares "b" changed too.
  assertEquals(at.hints.slice(1).flat().toSorted(), ["a", "b", "c"]);
});

Deno.test("a renamed file takes its DAGs along, without a new version", async () => {
  await using at = await dagsFolder({ "a.ts": dagFile("a") });
  const parser = at.parser();
  await parser.runOnce();
  await Deno.rename(`${at.dagsDir}/a.ts`, `${at.dagsDir}/b.ts`);
  await parser.runOnce();

  const dag = at.store.dags.get("a")!;
  assertEquals([dag.fileloc, dag.isStale, dag.versionNumber], ["b.ts", false, 1]);
});

Deno.test("the second DAG with an id is refused and named, until the first is gone", async () => {
  await using at = await dagsFolder({ "b.ts": dagFile("same", "1") });
  const parser = at.parser();
  await parser.runOnce();
  await at.write({ "a.ts": dagFile("same", "2") });
  await parser.runOnce();

  assertEquals(at.store.dags.get("same")!.fileloc, "b.ts");
  const error = at.store.importErrors.get("a.ts")!;
  assert(error.message.includes(`"same" belongs to b.ts`), error.message);
  assertEquals((await parser.runOnce()).parsed, []);

  await at.write({ "b.ts": dagFile("other") });
  await parser.runOnce();
  assertEquals(at.store.dags.get("same")!.fileloc, "a.ts");
  assertEquals(at.store.importErrors.size, 0);
});

Deno.test("unchanged files are not parsed again, nor after a restart", async () => {
  await using at = await dagsFolder({
    "a.ts": dagFile("a", "x", `import { x } from "./lib.ts";\n`),
    "b.ts": dagFile("b"),
    "broken.ts": dagFile("broken", "1", `throw new Error("no");\n`),
    "lib.ts": "export const x = 1;\n",
    "_part.ts": "throw new Error('never imported by itself');\n",
    "a_test.ts": "throw new Error('a test');\n",
  });
  const parser = at.parser();
  const first = await parser.runOnce();
  assertEquals(first.parsed, ["a.ts", "b.ts", "broken.ts", "lib.ts"]);
  await at.write({ "b.ts": dagFile("b") });
  assertEquals((await parser.runOnce()).parsed, []);
  await parser.stop();

  const restarted = at.parser();
  assertEquals((await restarted.runOnce()).parsed, []);
  assertEquals(restarted.health().detail?.importErrors, 1);
  await at.write({ "lib.ts": "export const x = 2;\n" });
  assertEquals((await restarted.runOnce()).parsed, ["a.ts", "lib.ts"]);
});

Deno.test("an import that is missing is found when it appears", async () => {
  await using at = await dagsFolder({
    "a.ts": dagFile("a", "x", `import { x } from "./lib/x.ts";\n`),
  });
  const parser = at.parser();
  await parser.runOnce();
  const { message, line, column } = at.store.importErrors.get("a.ts")!;
  assertEquals([line, column], [2, 19]);
  assert(message.includes("./lib/x.ts"), message);

  await at.write({ "lib/x.ts": "export const x = 1;\n" });
  await parser.runOnce();
  assertEquals(at.store.importErrors.size, 0);
  assertEquals(at.store.dags.has("a"), true);
});

Deno.test("a pass that cannot be recorded is made up for", async () => {
  await using at = await dagsFolder({ "a.ts": dagFile("a") });
  let isDown = true;
  const store = {
    ...at.store,
    record: (...call: Parameters<typeof at.store.record>) => {
      if (isDown) return Promise.reject(new Error("connection refused"));
      return at.store.record(...call);
    },
  };
  const parser = at.parser({ store });
  await parser.runOnce().catch(() => {});
  assertEquals([parser.health().started, parser.health().ready], [false, false]);

  isDown = false;
  await parser.runOnce();
  assertEquals(at.store.dags.get("a")!.versionNumber, 1);
  assertEquals(parser.health().ready, true);
});

Deno.test("without its folder the parser is not ready and forgets nothing", async () => {
  await using at = await dagsFolder({ "a.ts": dagFile("a") });
  const parser = at.parser();
  await parser.runOnce();
  await Deno.rename(at.dagsDir, `${at.dagsDir}.away`);
  await parser.runOnce().catch(() => {});
  assertEquals(parser.health().ready, false);
  assertEquals(at.store.dags.get("a")!.isStale, false);

  await Deno.rename(`${at.dagsDir}.away`, at.dagsDir);
  await parser.runOnce();
  assertEquals(parser.health().ready, true);
});
