import { assert, assertEquals, assertRejects } from "@std/assert";
import { fileURLToPath } from "node:url";
import { dagFile, dagsFolder } from "../../tests/support/dags_folder.ts";
import { systemClock } from "../base/clock.ts";
import { hasCode } from "../model/errors.ts";
import { parseFile } from "./parse_one.ts";

Deno.test("parseFile() gives the DAGs of a file and the bundle that they are imported from", async () => {
  await using at = await dagsFolder({
    "vendors/a.ts": dagFile("a", "x", `import { x } from "../lib.ts";\n`),
    "lib.ts": "export const x = 1;\n",
  });
  const { dagsDir, cacheDir } = at;
  const parsed = await parseFile(`${dagsDir}/vendors/a.ts`, {
    ...{ dagsDir, cacheDir, clock: systemClock },
  });

  const { outcome } = parsed.record;
  assert(outcome.kind === "dags");
  assertEquals(outcome.dags.map((dag) => dag.dagId), ["a"]);
  const module = await import(`file://${parsed.installed!.dir}/vendors/a.ts`);
  assertEquals(module.default.id, "a");
});

Deno.test("parseFile() takes the file's own folder as the dags folder", async () => {
  await using at = await dagsFolder({
    "sub/a.ts": dagFile("a", "x", `import { x } from "../lib.ts";\n`),
    "lib.ts": "export const x = 1;\n",
  });
  const options = { cacheDir: at.cacheDir, clock: systemClock };
  const { outcome } = (await parseFile(`${at.dagsDir}/sub/a.ts`, options)).record;

  assert(outcome.kind === "error");
  assertEquals([outcome.error.path, outcome.error.line], ["a.ts", 2]);
  assert(outcome.error.message.includes("outside of the dags folder"), outcome.error.message);
});

Deno.test("parseFile() says which file it cannot parse", async () => {
  await using at = await dagsFolder({ "a.ts": dagFile("a") });
  const options = { cacheDir: at.cacheDir, clock: systemClock };

  const missing = await assertRejects(() => parseFile(`${at.dagsDir}/b.ts`, options));
  assert(hasCode(missing, "NOT_FOUND"));
  const outside = { ...options, dagsDir: `${at.dagsDir}/sub` };
  assert(
    hasCode(await assertRejects(() => parseFile(`${at.dagsDir}/a.ts`, outside)), "INVALID"),
  );
});

Deno.test("the product's own modules ask a parse for nothing but zod", async () => {
  const root = (path: string) => fileURLToPath(new URL(`../../${path}`, import.meta.url));
  for (const entry of ["src/sdk/mod.ts", "operators/mod.ts", "src/parser/child.ts"]) {
    assertEquals([...await packagesOf(root(entry))], ["zod"], entry);
  }
});

/** npm packages that importing a module evaluates. */
async function packagesOf(entry: string): Promise<Set<string>> {
  const { stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["info", "--json", entry],
    stderr: "null",
  }).output();
  interface Dependency {
    specifier: string;
    isDynamic?: boolean;
    code?: { specifier: string };
  }
  const { modules } = JSON.parse(new TextDecoder().decode(stdout)) as {
    modules: { specifier: string; dependencies?: Dependency[] }[];
  };
  const byUrl = new Map(modules.map((module) => [module.specifier, module.dependencies ?? []]));
  const packages = new Set<string>();
  const seen = new Set<string>();
  const queue = [`file://${entry}`];
  for (let url = queue.pop(); url !== undefined; url = queue.pop()) {
    if (seen.has(url)) continue;
    seen.add(url);
    const name = url.match(/^npm:\/?((?:@[^/]+\/)?[^@/]+)/)?.[1];
    if (name) packages.add(name);
    const all = byUrl.get(url) ?? [];
    queue.push(
      ...all.filter((one) => !one.isDynamic && one.code).map((one) => one.code!.specifier),
    );
  }
  return packages;
}
