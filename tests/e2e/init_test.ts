/** @module A repository of one's own: made, checked, tested, run and simulated, all without a network. */
import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { fileURLToPath } from "node:url";
import config from "../../deno.json" with { type: "json" };

const main = fileURLToPath(new URL("../../src/main.ts", import.meta.url));
let root: string;
let repository: string;
Deno.test.beforeAll(async () => {
  root = await Deno.realPath(await Deno.makeTempDir({ prefix: "tw_init_" }));
  repository = `${root}/desk`;
});
Deno.test.afterAll(async () => await Deno.remove(root, { recursive: true }));

async function deno(cwd: string, ...args: string[]) {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args,
    cwd,
    env: { NO_COLOR: "1", TIDEWHEEL_HOME: `${root}/home` },
    stdin: "null",
  }).output();
  const [out, err] = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes));
  return { code, out, err, both: out + err };
}
const tidewheel = (cwd: string, ...args: string[]) =>
  deno(cwd, "run", "-A", "--quiet", main, ...args);

Deno.test("init makes a repository that is well written, and does not write over one", async () => {
  const made = await tidewheel(root, "init", "desk");
  assertEquals(made.code, 0, made.both);
  assertStringIncludes(made.out, "deno task test");

  for (const check of [["fmt", "--check"], ["lint", "--quiet"]]) {
    const { code, both } = await deno(repository, ...check);
    assertEquals(code, 0, both);
  }
  const again = await tidewheel(root, "init", "desk");
  assertEquals(again.code, 1);
  assertStringIncludes(again.err, "there is a deno.json already");
});

Deno.test("its task `test` parses the DAGs, checks types, and runs the tests", async () => {
  const { code, both } = await deno(repository, "task", "--quiet", "test");

  assertEquals(code, 0, both);
  assertMatch(both, /ecb_rates +ecb_rates\.ts +4 +\d{4}-/);
  assertStringIncludes(both, "2 passed");
});

Deno.test("its DAG runs on the record, and is simulated", async () => {
  const ran = await deno(
    repository,
    ...["task", "--quiet", "run", "dags/ecb_rates.ts", "--date", "2013-03-01"],
    ...["--replay", "tests/fixtures/ecb_rates"],
  );
  assertEquals(ran.code, 0, ran.both);
  assertMatch(ran.out, /fx\.ecb +2013-03-01 +1 +2/);

  const simulated = await deno(
    repository,
    ...["task", "--quiet", "simulate", "dags/ecb_rates.ts"],
    ...["--from", "2026-04-01", "--to", "2026-04-30"],
  );
  assertEquals(simulated.code, 0, simulated.both);
  assertStringIncludes(simulated.out, "ecb_rates: 20 runs");
});

Deno.test("test says where a DAG file is broken, and which id is taken", async () => {
  await Deno.writeTextFile(
    `${repository}/dags/late.ts`,
    `import { dag, task } from "tidewheel";
export default dag({ id: "late", schedule: "0 25 * * *" }, () => {
  task({ id: "a" }, () => 1);
});
`,
  );
  await Deno.copyFile(`${repository}/dags/ecb_rates.ts`, `${repository}/dags/rates_too.ts`);
  const { code, err } = await tidewheel(repository, "test");

  assertEquals(code, 1);
  assertStringIncludes(err, '"25" does not fit the hour');
  assertStringIncludes(err, "at dags/late.ts:2:16");
  assertStringIncludes(err, "> 2 | export default dag(");
  assertStringIncludes(err, 'the id "ecb_rates" belongs to ecb_rates.ts');
  await Deno.remove(`${repository}/dags/late.ts`);
  await Deno.remove(`${repository}/dags/rates_too.ts`);
});

Deno.test("test fails by a type that does not fit, and as JSON by a test that fails", async () => {
  const path = `${repository}/dags/wrong.ts`;
  await Deno.writeTextFile(
    path,
    `import { dag, task } from "tidewheel";
export default dag({ id: "wrong", schedule: null }, () => {
  const a = task({ id: "a" }, () => "text");
  task({ id: "b", inputs: { a } }, (_ctx, { a }) => a * 2);
});
`,
  );
  const types = await tidewheel(repository, "test");
  assertEquals(types.code, 1);
  assertStringIncludes(types.err, "TS2362");
  await Deno.remove(path);

  await Deno.writeTextFile(
    `${repository}/tests/red_test.ts`,
    `Deno.test("red", () => { throw new Error("as told"); });\n`,
  );
  const red = await tidewheel(repository, "test", "tests/red_test.ts", "--json");
  assertEquals(red.code, 1);
  const { success, tests } = JSON.parse(red.out);
  assertEquals(success, false);
  assertStringIncludes(tests.output, "as told");
  await Deno.remove(`${repository}/tests/red_test.ts`);
});

Deno.test("a program of another version refuses the repository, and says so", async () => {
  const path = `${repository}/deno.json`;
  const text = await Deno.readTextFile(path);
  await Deno.writeTextFile(path, text.replaceAll(`@^${config.version}`, "@^7.0.0"));
  for (const args of [["test"], ["run", "dags/ecb_rates.ts"]]) {
    const { code, err } = await tidewheel(repository, ...args);
    assertEquals(code, 1);
    assertStringIncludes(err, `asks for version ^7.0.0 of ${config.name} and this is`);
  }
  await Deno.writeTextFile(path, text);
});
