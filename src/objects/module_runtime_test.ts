import { assert, assertEquals, assertNotEquals, assertRejects } from "@std/assert";
import { fileURLToPath } from "node:url";
import { walk } from "../../tests/support/walk.ts";
import { hasCode } from "../model/errors.ts";
import { moduleRuntime, operatorPackages } from "./module_runtime.ts";

async function tempDir() {
  const dir = await Deno.makeTempDir({ prefix: "tw_runtime_" });
  return { dir, [Symbol.asyncDispose]: () => Deno.remove(dir, { recursive: true }) };
}

/** Import `specifiers` one after the other as a module of a bundle would, and say what came. */
async function importAll(dir: string, specifiers: string[]): Promise<string[]> {
  const runtime = await moduleRuntime({ cacheDir: dir });
  await Deno.writeTextFile(
    `${dir}/probe.mjs`,
    `for (const name of ${JSON.stringify(specifiers)}) {
       try { await import(name); console.log("ok"); }
       catch (error) { console.log(error.message.split("\\n")[0]); }
     }`,
  );
  const { stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["run", ...runtime.args, `${dir}/probe.mjs`],
    clearEnv: true,
    env: runtime.env,
    cwd: runtime.dir,
  }).output();
  return new TextDecoder().decode(stdout).trim().split("\n");
}

Deno.test("moduleRuntime() lets modules import zod, and nothing from npm or the network", async () => {
  await using at = await tempDir();
  const [zod, bare, http, jsr, postgres] = await importAll(at.dir, [
    "zod",
    "postgres",
    "http://127.0.0.1:9/x.ts",
    "jsr:@std/assert",
    "npm:postgres@3.4.9",
  ]);

  assertEquals(zod, "ok");
  assert(postgres.startsWith("The lockfile is out of date"), postgres);
  assert(bare.includes("not a dependency") || bare.includes("not in import map"), bare);
  assert(http.startsWith('Requires import access to "127.0.0.1:9"'), http);
  assert(jsr !== "ok", jsr);
});

Deno.test("moduleRuntime() lets operators import all of their packages", async () => {
  await using at = await tempDir();
  const names = operatorPackages().filter((name) => !name.endsWith("/"));
  assert(names.includes("hyparquet"), names.join());
  const runtime = await moduleRuntime({ cacheDir: at.dir });
  const loads = [...await walk(fileURLToPath(new URL("../../operators", import.meta.url)))]
    .filter((path) => /\/run\.ts$/.test(path)).map((path) => `import ${JSON.stringify(path)};\n`);
  await Deno.writeTextFile(`${at.dir}/all.ts`, loads.join("") + 'console.log("ok");\n');

  const { stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", ...runtime.args, "--no-check", `${at.dir}/all.ts`],
    clearEnv: true,
    env: runtime.env,
    cwd: runtime.dir,
  }).output();

  assertEquals(new TextDecoder().decode(stdout).trim(), "ok", new TextDecoder().decode(stderr));
});

Deno.test("moduleRuntime() is shared by bundles with the same packages", async () => {
  await using at = await tempDir();
  const npm = {
    imports: { z4: "npm:zod@4.6.7" },
    lock: { version: "5", specifiers: {}, npm: {} },
  };
  const none = await moduleRuntime({ cacheDir: at.dir });

  assertEquals((await moduleRuntime({ cacheDir: at.dir, npm: null })).key, none.key);
  assertNotEquals((await moduleRuntime({ cacheDir: at.dir, npm })).key, none.key);
});

Deno.test("moduleRuntime() names a package that cannot be had", async () => {
  await using at = await tempDir();
  const npm = {
    imports: { none: "npm:zod@0.0.0-none" },
    lock: { version: "5", specifiers: {}, npm: {} },
  };
  const error = await assertRejects(() => moduleRuntime({ cacheDir: at.dir, npm }));

  assert(hasCode(error, "UNAVAILABLE"));
  assert(error.message.includes("zod@0.0.0-none"), error.message);
});
