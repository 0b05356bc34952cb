/**
 * @module DAG files as people save them: good ones are there at once, bad ones are refused by name
 * and harm nobody.
 */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import type { Run } from "../support/product_api.ts";
import { type Product, startProduct } from "../support/product.ts";
import { timed, until } from "../support/until.ts";

interface ImportError {
  filename: string;
  stack_trace: string;
}

let product: Product;
Deno.test.beforeAll(async () => {
  product = await startProduct();
  // These run into limits of time and memory while the other cases go on.
  await product.write({
    "loops_for_ever.ts": atImport("for (;;);"),
    "allocates_without_end.ts": atImport(
      "const all: unknown[] = []; for (;;) all.push(new Uint8Array(1 << 22).fill(7));",
    ),
  });
});
Deno.test.afterAll(async () => await product[Symbol.asyncDispose]());

/** A DAG whose only task puts out `answer`. */
const answering = (id: string, answer: string) =>
  `import { dag, task } from "tidewheel";
export default dag({ id: "${id}", schedule: null }, () => {
  task({ id: "answer" }, () => ${answer});
});
`;

/** A DAG file that has `statement` in its second line. */
function atImport(statement: string): string {
  return `import { dag, task } from "tidewheel";
${statement}
export default dag({ id: "never", schedule: null }, () => {
  task({ id: "never" }, () => 0);
});
`;
}

async function importErrors(): Promise<ImportError[]> {
  const page = await product.api.get<{ import_errors: ImportError[] }>("/api/v2/importErrors");
  return page.import_errors;
}

function errorOf(filename: string): Promise<string> {
  return until(
    `an import error of ${filename}`,
    async () => (await importErrors()).find((error) => error.filename === filename)?.stack_trace,
    { withinMs: 60_000 },
  );
}

Deno.test("a DAG file that is dropped into the folder is listed, and runs", async () => {
  const { tookMs } = await timed(async () => {
    await product.write({ "dropped.ts": answering("dropped", "42") });
    await product.api.listed("dropped");
  });
  console.log(`listed after ${tookMs} ms`);

  const run = await product.api.runDag("dropped");

  assertEquals(run.state, "success");
  assertEquals(await product.api.output(run, "answer"), 42);
});

Deno.test("an error in a file is shown with line and frame, and the last good version runs", async () => {
  await product.write({ "edited.ts": answering("edited", '"good"') });
  await product.api.listed("edited");

  await product.write({ "edited.ts": answering("edited", '"bad" +* 1') });
  const error = await errorOf("edited.ts");
  // A file that loops for ever is being imported meanwhile, and keeps nobody waiting.
  assert(!(await importErrors()).some(({ filename }) => filename === "loops_for_ever.ts"));
  const run = await product.api.runDag("edited");

  assertStringIncludes(error, "edited.ts:3:");
  assertStringIncludes(error, '"bad" +* 1');
  assertEquals(await product.api.output(run, "answer"), "good");
  const dag = await product.api.get<{ has_import_errors: boolean }>("/api/v2/dags/edited");
  assert(dag.has_import_errors);

  await product.write({ "edited.ts": answering("edited", '"mended"') });
  await until(
    "the error to go",
    async () => !(await importErrors()).some(({ filename }) => filename === "edited.ts"),
  );
  assertEquals(await product.api.output(await product.api.runDag("edited"), "answer"), "mended");
});

Deno.test("a file that throws while it is imported is shown with the line that threw", async () => {
  await product.write({
    "throws.ts": atImport(`throw new Error("no such figure");`),
  });

  const error = await errorOf("throws.ts");

  assertStringIncludes(error, "no such figure");
  assertStringIncludes(error, "throws.ts:2:");
});

Deno.test("a file that reads the environment or opens a socket at import is refused by name", async () => {
  await product.write({
    "reads_env.ts": atImport(`Deno.env.get("HOME");`),
    "opens_socket.ts": atImport(`await fetch("${product.url}/health/live");`),
    "reads_file.ts": atImport(`Deno.readTextFileSync("${product.home}/token");`),
    "imports_remote.ts": atImport(`import "https://example.com/mod.ts";`),
    "unharmed.ts": answering("unharmed", "1"),
  });

  assertStringIncludes(await errorOf("reads_env.ts"), "HOME");
  assertStringIncludes(await errorOf("opens_socket.ts"), new URL(product.url).host);
  assertStringIncludes(await errorOf("reads_file.ts"), "token");
  assertStringIncludes(await errorOf("imports_remote.ts"), "https://example.com/mod.ts");
  assertEquals((await product.api.runDag("unharmed")).state, "success");
});

Deno.test("a file that is removed leaves its DAG stale", async () => {
  await product.write({ "removed.ts": answering("removed", "1") });
  await product.api.listed("removed");

  await Deno.remove(`${product.dagsDir}/removed.ts`);

  await until("the DAG to be stale", async () => {
    const dag = await product.api.get<{ is_stale: boolean }>("/api/v2/dags/removed");
    return dag.is_stale;
  });
});

Deno.test("two files with one DAG id: the first keeps it, the other is refused", async () => {
  await product.write({ "owner.ts": answering("contested", '"owner"') });
  await product.api.listed("contested");

  await product.write({ "rival.ts": answering("contested", '"rival"') });

  assertStringIncludes(await errorOf("rival.ts"), "owner.ts");
  const run = await product.api.runDag("contested");
  assertEquals(await product.api.output(run, "answer"), "owner");
});

Deno.test("a file that loops for ever or allocates without end is refused within its limits", async () => {
  assertStringIncludes(await errorOf("allocates_without_end.ts"), "memory");
  assertStringIncludes(await errorOf("loops_for_ever.ts"), "10");
});

Deno.test("a DAG goes by a calendar of its own, read from YAML in the bundle", async () => {
  await product.write({
    "desk.yaml": `id: DESK
timezone: UTC
from: 2024-01-01
until: 2099-12-31
weekdays: [{ from: 2024-01-01, days: [1, 2, 3, 4, 5] }]
hours: [{ from: 2024-01-01, open: "09:00", close: "17:00" }]
closed: { 2024: 05-01 12-25 }
special: [{ close: "12:00", dates: [2024-05-02] }]
`,
    "by_desk.ts": `import { parse } from "npm:yaml@2.9.1";
import desk from "./desk.yaml" with { type: "text" };
import { calendar, dag, sessions, task } from "tidewheel";
export default dag({
  id: "by_desk",
  schedule: sessions(calendar(parse(desk))),
  start: "2024-04-30",
  end: "2024-05-04",
  catchup: true,
}, () => {
  task({ id: "answer" }, ({ interval }) => interval.date + " " + interval.end.toISOString());
});
`,
  });
  const path = "/api/v2/dags/by_desk/dagRuns?order_by=logical_date&state=success";
  const runs = await until("its three sessions", async () => {
    const { dag_runs } = await product.api.get<{ dag_runs: Run[] }>(path);
    return dag_runs.length === 3 && dag_runs;
  }, { withinMs: 60_000 });
  const outputs = await Promise.all(runs.map((run) => product.api.output(run, "answer")));
  assertEquals(outputs, [
    "2024-04-30 2024-04-30T17:00:00.000Z",
    "2024-05-02 2024-05-02T12:00:00.000Z",
    "2024-05-03 2024-05-03T17:00:00.000Z",
  ]);
});
