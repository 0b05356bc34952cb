import { assertEquals } from "@std/assert";
import type { Verb } from "../../src/cli/mod.ts";
import { verbGroups } from "../../src/main.ts";
import { settingVariables } from "../../src/settings.ts";
import { staleReference } from "../../tools/docs_gen.ts";
import { anchorsOf, commandsOf, documents, linksOf, variablesOf } from "./documents.ts";
import config from "../../deno.json" with { type: "json" };

const root = new URL("../../", import.meta.url);
const verbs = new Map<string, Verb>(
  Object.values(verbGroups).flat().map((verb) => [verb.name, verb]),
);
const tasks = new Set(Object.keys(config.tasks));
/** Options of every verb. */
const everywhere = ["--json", "--help"];
/** Names that others gave and that we obey, and families of ours. */
const standardVariables = /^(OTEL_|AWS_|TIDEWHEEL_(CONN|VAR)_)/;

Deno.test("the reference is what the code says", async () => {
  assertEquals(await staleReference(), []);
});

Deno.test("documents name verbs and options that exist", async () => {
  const wrong: string[] = [];
  for (const document of await documents()) {
    for (const { place, verb, options } of commandsOf(document)) {
      const known = verbs.get(verb);
      if (!known && !tasks.has(verb)) wrong.push(`${place}: there is no verb or task "${verb}"`);
      if (!known) continue;
      const flags = new Set([...everywhere, ...known.options?.flatMap(flagsOf) ?? []]);
      for (const option of options) {
        if (!flags.has(option)) wrong.push(`${place}: "${verb}" has no option ${option}`);
      }
    }
  }
  assertEquals(wrong, []);
});

Deno.test("every verb is a task", () => {
  assertEquals([...verbs.keys()].filter((name) => !tasks.has(name)), []);
});

Deno.test("documents name environment variables that are settings", async () => {
  const settings = new Set(settingVariables().map(([, variable]) => variable));
  const wrong: string[] = [];
  for (const document of await documents()) {
    for (const name of variablesOf(document)) {
      if (!settings.has(name) && !standardVariables.test(name)) {
        wrong.push(`${document.path}: ${name}`);
      }
    }
  }
  assertEquals(wrong, []);
});

Deno.test("links between documents lead somewhere", async () => {
  const wrong: string[] = [];
  for (const document of await documents()) {
    for (const link of linksOf(document)) {
      const [path, anchor] = link.split("#");
      const target = new URL(path === "" ? document.path : path, new URL(document.path, root));
      const file = path === "" ? new URL(document.path, root) : target;
      const isThere = await Deno.stat(file).then(() => true, () => false);
      const isAnchor = !anchor ||
        isThere && anchorsOf(await Deno.readTextFile(file)).includes(anchor);
      if (!isThere || !isAnchor) wrong.push(`${document.path}: ${link}`);
    }
  }
  assertEquals(wrong, []);
});

Deno.test("decisions are numbered from 0001 without gaps", async () => {
  const numbers: number[] = [];
  for await (const { name } of Deno.readDir(new URL("docs/decisions", root))) {
    numbers.push(Number(/^(\d{4})-[a-z0-9-]+\.md$/.exec(name)?.[1]));
  }
  numbers.sort((a, b) => a - b);
  assertEquals(numbers, numbers.map((_, i) => i + 1));
});

function flagsOf({ flags }: { flags: string }): string[] {
  return [...flags.matchAll(/--?[a-z][a-z-]*/g)].map(([flag]) => flag);
}
