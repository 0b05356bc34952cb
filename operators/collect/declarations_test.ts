import { assert, assertEquals, assertThrows } from "@std/assert";
import { dag } from "../../src/sdk/mod.ts";
import type { TaskSpec } from "../../src/model/dag_spec.ts";
import { collect, retry } from "../mod.ts";

/** The one task of a DAG as the parser would store it. */
function taskOf(declare: () => void): TaskSpec {
  return dag({ id: "test", schedule: null }, declare).spec.tasks.at(-1)!;
}

Deno.test("collect.http opens its connection's host and names its raw dataset", () => {
  const { spec } = dag({ id: "test", schedule: null }, () => {
    collect.http({
      id: "a",
      source: "vendor.bars",
      connection: "vendor",
      redirectHosts: ["files.example.com"],
      query: ({ interval }) => ({ date: interval.date }),
    });
  });

  assertEquals(spec.tasks[0].connections, ["vendor"]);
  assertEquals(spec.tasks[0].permissions, {
    net: ["connection:vendor", "files.example.com"],
    read: [],
    write: [],
    env: [],
    run: [],
  });
  assertEquals(spec.datasets, ["raw.vendor.bars"]);
});

Deno.test("collect.http opens the host and port of a constant url", () => {
  const { permissions } = taskOf(() => {
    collect.http({ id: "a", source: "a", url: "https://x.org:8443/data?k=1" });
  });
  assertEquals(permissions.net, ["x.org:8443"]);
});

Deno.test("collect.file may read its folder, and write it only to put files away", () => {
  const keep = taskOf(() => {
    collect.file({ id: "a", source: "a", connection: "drop" });
  });
  const move = taskOf(() => {
    collect.file({ id: "a", source: "a", folder: "/in", afterwards: "move", moveTo: "/out" });
  });

  assertEquals(keep.connections, ["drop"]);
  assertEquals([keep.permissions.read, keep.permissions.write], [["connection:drop"], []]);
  assertEquals([move.permissions.read, move.permissions.write], [["/in", "/out"], ["/in", "/out"]]);
});

Deno.test("retry.parts opens what it and its fallback ask", () => {
  const parts = [{ name: "p" }];
  const task = taskOf(() => {
    const from = collect.http({ id: "a", source: "a", connection: "one", parts });
    retry.parts({
      id: "b",
      from,
      request: { connection: "one", parts },
      fallback: { source: "b", url: "https://b.org", parts },
    });
  });
  assertEquals(task.permissions.net, ["b.org", "connection:one"]);
  assertEquals(task.connections, ["one"]);
});

Deno.test("a constant that does not fit is refused when the file is read", () => {
  const problem = (declare: () => void) => assertThrows(() => taskOf(declare), Error).message;
  problem(() => void collect.http({ id: "a", source: "Bad Name", url: "https://x.org" }));
  problem(() => void collect.http({ id: "a", source: "a" }));
  problem(() => void collect.file({ id: "a", source: "a", folder: "relative" }));
  problem(() => void collect.file({ id: "a", source: "a", folder: "/a", connection: "b" }));
});

Deno.test("every parameter of what collects is documented", () => {
  for (const { operator } of [collect.http, collect.file, retry.parts]) {
    for (const [name, shape] of Object.entries(operator.params.shape)) {
      assert(shape.meta()?.doc, `${operator.name}: ${name} has no doc`);
    }
  }
});
