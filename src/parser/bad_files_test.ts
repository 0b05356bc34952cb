import { assert, assertEquals } from "@std/assert";
import { dagFile, dagsFolder } from "../../tests/support/dags_folder.ts";
import { systemClock } from "../base/clock.ts";

/** A DAG file whose third line is `statement`. */
const withLine3 = (id: string, statement: string) => `${dagFile(id, "1", "\n" + statement + "\n")}`;

/** What each file says in its third line, and what of its error must be seen. */
const cases: Record<string, { line3: string; says: string; at: [number, number] | null }> = {
  exits: { line3: "Deno.exit(3);", says: "with code 3 (Deno.exit?)", at: null },
  env: {
    line3: `const home = Deno.env.get("HOME");`,
    says: `Cannot read the environment ("HOME") while the file is imported`,
    at: [3, 23],
  },
  socket: {
    line3: `await Deno.connect({ hostname: "127.0.0.1", port: 9 });`,
    says: `Cannot use the network ("127.0.0.1:9") while the file is imported`,
    at: [3, 12],
  },
  fetches: {
    line3: `void fetch("http://127.0.0.1:8099/");`,
    says: `Cannot use the network ("127.0.0.1:8099") while the file is imported`,
    at: [3, 6],
  },
  reads: {
    line3: `Deno.readTextFileSync("/etc/passwd");`,
    says: `Cannot read a file outside its bundle ("/etc/passwd")`,
    at: [3, 6],
  },
  writes: {
    line3: `Deno.writeTextFileSync("/tmp/x", "");`,
    says: `Cannot write files ("/tmp/x")`,
    at: [3, 6],
  },
  starts: {
    line3: `new Deno.Command("/bin/true").outputSync();`,
    says: `Cannot start processes ("/bin/true")`,
    at: [3, 31],
  },
  throws: { line3: `throw new TypeError("no rates");`, says: "TypeError: no rates", at: [3, 7] },
  throws_text: { line3: `throw "no rates";`, says: "it threw string: no rates", at: null },
  rejects: { line3: `void Promise.reject(new Error("late"));`, says: "late", at: [3, 21] },
  syntax: { line3: "const = 1;", says: `Expected identifier but found "="`, at: [3, 7] },
  types: { line3: "interface Rate { eur number }", says: "Expected", at: [3, 22] },
  missing: {
    line3: `import { rate } from "./rate.ts"; rate();`,
    says: `Could not resolve "./rate.ts"`,
    at: [3, 22],
  },
  no_export: {
    line3: `import { wrong } from "./lib/ok.ts"; wrong();`,
    says: `No matching export in "lib/ok.ts" for import "wrong"`,
    at: [3, 10],
  },
  outside: {
    line3: `import "../outside.ts";`,
    says: `Cannot import "../outside.ts": it is outside of the dags folder`,
    at: [3, 8],
  },
  http: {
    line3: `import "http://127.0.0.1:9/x.ts";`,
    says: "http: imports are not allowed",
    at: [3, 8],
  },
  http_later: {
    line3: `await import("http://127.0.0.1:9/x.ts");`,
    says: "http: imports are not allowed",
    at: [3, 14],
  },
  http_computed: {
    line3: `await import(["http", "//127.0.0.1:9/x.ts"].join(":"));`,
    says: `Cannot import over the network ("127.0.0.1:9")`,
    at: [3, 1],
  },
  unlisted: {
    line3: `import "left-pad";`,
    says: `"left-pad" is not in the "imports" of the dags folder's deno.json`,
    at: [3, 8],
  },
  unlisted_computed: {
    line3: `await import(["npm", "postgres@3.4.9"].join(":"));`,
    says: `Cannot import "npm:postgres@3.4.9": it is not among the npm packages of this DAG file`,
    at: [3, 1],
  },
  product: { line3: `import "postgres";`, says: `"postgres" is not in the "imports"`, at: [3, 8] },
  cycle: {
    line3: `export const bad = dag({ id: "..", schedule: "what" }, () => {});`,
    says: "Cannot",
    at: [3, 20],
  },
};

Deno.test("bad DAG files are refused by name and place, and harm no other", async (t) => {
  await using at = await dagsFolder({}, { clock: systemClock });
  await Deno.writeTextFile(`${at.dagsDir}/../outside.ts`, "export {};\n");
  const good = Object.fromEntries(
    ["alpha", "lima", "zulu"].map((id) => [`${id}.ts`, dagFile(id)]),
  );
  const bad = Object.entries(cases).map(([id, { line3 }]) => [`${id}.ts`, withLine3(id, line3)]);
  await at.write({ ...good, ...Object.fromEntries(bad), "lib/ok.ts": "export const ok = 1;\n" });
  await at.parser().runOnce();

  assertEquals([...at.store.dags.keys()].toSorted(), ["alpha", "lima", "zulu"]);
  for (const [id, { says, at: place }] of Object.entries(cases)) {
    await t.step(id, () => {
      const error = at.store.importErrors.get(`${id}.ts`);
      assert(error, "it was taken");
      assert(error.message.includes(says), error.message);
      assert(!error.message.includes(at.cacheDir), error.message);
      assertEquals(error.path, `${id}.ts`);
      if (!place) return;
      assertEquals([error.line, error.column], place);
      assert(error.frame?.includes(`> 3 | ${cases[id].line3.slice(0, 20)}`), error.frame!);
    });
  }
});

Deno.test("a DAG file whose import does not end is stopped at the time limit", async () => {
  await using at = await dagsFolder({
    "loops.ts": dagFile("loops", "1", "for (;;) ;\n"),
    "waits.ts": dagFile("waits", "1", "await new Promise(() => {});\n"),
    "good.ts": dagFile("good"),
    "better.ts": dagFile("better"),
  }, { clock: systemClock });
  await at.parser({ limits: { ms: 2_000 } }).runOnce();

  assertEquals([...at.store.dags.keys()].toSorted(), ["better", "good"]);
  for (const file of ["loops.ts", "waits.ts"]) {
    const { message, path, line } = at.store.importErrors.get(file)!;
    assertEquals(message, `Cannot import ${file}: its import did not end within 2 s`);
    assertEquals([path, line], [file, null]);
  }
});

Deno.test("a DAG file that allocates without end is stopped at the memory limit", async () => {
  const grow = (what: string) => `const all: unknown[] = []; for (;;) all.push(${what});\n`;
  await using at = await dagsFolder({
    "buffers.ts": dagFile("buffers", "1", grow("new Uint8Array(4e6).fill(1)")),
    "heap.ts": dagFile("heap", "1", grow("{ text: `${all.length}` }")),
    "good.ts": dagFile("good"),
  }, { clock: systemClock });
  // Long enough that it is memory which ends them, also on a busy machine.
  await at.parser({ limits: { ms: 60_000, rssBytes: 200 * 1024 * 1024 } }).runOnce();

  assertEquals([...at.store.dags.keys()], ["good"]);
  for (const file of ["buffers.ts", "heap.ts"]) {
    const { message } = at.store.importErrors.get(file)!;
    assertEquals(message, `Cannot import ${file}: its import took more than 200 MB of memory`);
  }
});

Deno.test("an error in a shared module names that module", async () => {
  await using at = await dagsFolder({
    "a.ts": dagFile("a", "x", `import { x } from "./lib/deep.ts";\n`),
    "lib/deep.ts":
      "const rates: Record<string, { n: number }> = {};\n\nexport const x = rates.eur.n;\n",
    "b.ts": dagFile("b", "x", `import { x } from "./lib/broken.ts";\n`),
    "lib/broken.ts": "export const x = (1;\n",
    "c.ts": dagFile("c"),
  });
  await at.parser().runOnce();

  const { message, path, line, frame } = at.store.importErrors.get("a.ts")!;
  assertEquals([path, line], ["lib/deep.ts", 3]);
  assert(message.startsWith("TypeError: Cannot read properties of undefined"), message);
  assert(frame!.includes("> 3 | export const x = rates.eur.n;"), frame!);
  assertEquals(at.store.importErrors.get("b.ts")!.path, "lib/broken.ts");
  assertEquals([...at.store.dags.keys()], ["c"]);
});

Deno.test("a link that leads out of the dags folder is refused", async () => {
  await using at = await dagsFolder({
    "a.ts": dagFile("a", "secret", `import secret from "./s.txt" with { type: "text" };\n`),
  });
  await Deno.writeTextFile(`${at.dagsDir}/../secret`, "token");
  await Deno.symlink(`${at.dagsDir}/../secret`, `${at.dagsDir}/s.txt`);
  await at.parser().runOnce();

  const { message } = at.store.importErrors.get("a.ts")!;
  assert(message.includes("a link that leads out of the dags folder"), message);
});

Deno.test("a file that harms its process delays the others by moments only", async () => {
  await using at = await dagsFolder({}, { clock: systemClock });
  const files = Array.from({ length: 8 }, (_, i) => [`d${i}.ts`, dagFile(`d${i}`)]);
  await at.write({
    ...Object.fromEntries(files),
    "d00_prints.ts": dagFile(
      "prints",
      "1",
      `console.log("hello"); Deno.stdout.writeSync(new TextEncoder().encode("\\x1eno line end"));\n`,
    ),
    "d1_forges.ts": dagFile("forges", "1", `console.log('\\x1e {"id":3,"dags":[]}');\n`),
    "d2_patches.ts": dagFile(
      "patches",
      "1",
      `JSON.stringify = () => "{}"; Promise.resolve().then(() => { throw new Error("late"); });\n`,
    ),
  });
  await at.parser().runOnce();

  const good = ["forges", "prints", ...files.map((_, i) => `d${i}`)];
  assertEquals([...at.store.dags.keys()].toSorted(), good.toSorted());
  assertEquals([...at.store.importErrors.keys()], ["d2_patches.ts"]);
});
