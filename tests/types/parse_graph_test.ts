import { assertEquals } from "@std/assert";
import { fileURLToPath } from "node:url";

const root = new URL("../../", import.meta.url);

interface Graph {
  modules: {
    specifier: string;
    kind?: string;
    dependencies?: { code?: { specifier: string }; isDynamic?: boolean }[];
  }[];
  redirects: Record<string, string>;
}

Deno.test("importing a DAG file loads zod and no other package", async () => {
  const graph = await graphOf('import "tidewheel";\nimport "tidewheel/operators";\n');
  const foreign = [...graph].filter((url) => !url.startsWith(root.href));
  assertEquals(foreign.filter((url) => !/^npm:\/?zod@/.test(url)), []);
});

Deno.test("the declaration side loads nothing of the services", async () => {
  const graph = await graphOf('import "tidewheel";\n');
  const folders = [...graph].filter((url) => url.startsWith(root.href))
    .map((url) => url.slice(root.href.length).split("/").slice(0, 2).join("/"));
  assertEquals([...new Set(folders)].sort(), ["src/base", "src/model", "src/sdk"]);
});

Deno.test("a task that converts loads the packages of a format when a file is of it", async () => {
  const run = new URL("operators/convert/run.ts", root).href;
  const graph = await graphOf(`import ${JSON.stringify(run)};\n`);
  const packages = [...graph].filter((url) => url.startsWith("npm:"))
    .map((url) => url.replace(/^npm:\/?/, "").replace(/@[\d.]+$/, ""));
  assertEquals(packages.sort(), ["iconv-lite", "js-yaml", "zod"]);
});

/** What is loaded at once by a module of this source: code, not types, not dynamic imports. */
async function graphOf(source: string): Promise<Set<string>> {
  const dir = await Deno.makeTempDir({ prefix: "tidewheel-graph-" });
  try {
    const entry = `${dir}/dag.ts`;
    await Deno.writeTextFile(entry, source);
    const config = fileURLToPath(new URL("deno.json", root));
    const { stdout } = await new Deno.Command(Deno.execPath(), {
      args: ["info", "--json", "--config", config, entry],
      stderr: "inherit",
    }).output();
    const graph: Graph = JSON.parse(new TextDecoder().decode(stdout));
    return loadedBy(graph, `file://${await Deno.realPath(entry)}`);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}

function loadedBy(graph: Graph, entry: string): Set<string> {
  const modules = new Map(graph.modules.map((module) => [module.specifier, module]));
  const seen = new Set<string>();
  const open = [entry];
  for (let url = open.pop(); url !== undefined; url = open.pop()) {
    const target = graph.redirects[url] ?? url;
    if (seen.has(target)) continue;
    seen.add(target);
    for (const dependency of modules.get(target)?.dependencies ?? []) {
      if (dependency.code && !dependency.isDynamic) open.push(dependency.code.specifier);
    }
  }
  seen.delete(entry);
  return seen;
}
