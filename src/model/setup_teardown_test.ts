import { assertEquals } from "@std/assert";
import { clearedAlong, decidingTasks, type ScopedTask, setupScopes } from "./setup_teardown.ts";

/** `{ "b+": ["a"] }`: setup b after a; `-` marks a teardown, `!` one whose failure counts. */
function tasksOf(graph: Record<string, string[]>): ScopedTask[] {
  return Object.entries(graph).map(([name, upstream]) => ({
    taskId: name.replace(/[-+!]/, ""),
    upstream,
    ...(name.endsWith("+") ? { isSetup: true } : {}),
    ...(/[-!]$/.test(name) ? { isTeardown: true } : {}),
    ...(name.endsWith("!") ? { onFailureFailDagRun: true } : {}),
  }));
}

/** `up → load → check → down`, and `report` after the load, outside of the scope. */
const cluster = tasksOf({
  "up+": [],
  load: ["up"],
  check: ["load"],
  report: ["load"],
  "down-": ["up", "check"],
});

Deno.test("setupScopes() has what lies between a setup and its teardowns, or all after it", () => {
  const [{ setup, teardowns, serves }] = setupScopes(cluster);
  assertEquals([setup, teardowns, [...serves].sort()], ["up", ["down"], ["check", "load"]]);
  const open = tasksOf({ "up+": [], load: ["up"], report: ["load"] });
  assertEquals([...setupScopes(open)[0].serves].sort(), ["load", "report"]);
  assertEquals(setupScopes(tasksOf({ a: [], b: ["a"] })), []);
});

Deno.test("decidingTasks() leaves teardowns out, unless their failure counts or they are all there is", () => {
  const deciding = (graph: Record<string, string[]>) => [...decidingTasks(tasksOf(graph))].sort();
  assertEquals(deciding({ "up+": [], load: ["up"], "down-": ["up", "load"] }), ["load"]);
  assertEquals(deciding({ "up+": [], load: ["up"], "down!": ["up", "load"] }), ["down"]);
  assertEquals(deciding({ load: [], "down-": ["load"], after: ["down"] }), ["after", "load"]);
  assertEquals(deciding({ "one-": [], "two-": ["one"] }), ["two"]);
  assertEquals(deciding({ a: [], b: ["a"], c: ["a"] }), ["b", "c"]);
});

Deno.test("clearedAlong() sets up anew what a cleared task needs, and tears it down", () => {
  const along = (tasks: string[], some: { up?: boolean; down?: boolean } = {}) =>
    [...clearedAlong(cluster, {
      tasks,
      includeUpstream: some.up ?? false,
      includeDownstream: some.down ?? false,
    })].sort();
  assertEquals(along(["check"]), ["down", "up"]);
  assertEquals(along(["report"]), []);
  assertEquals(along(["up"]), ["down"]);
  assertEquals(along(["down"]), []);
  assertEquals(along(["report"], { up: true }), ["down", "up"]);
  assertEquals(along(["load"], { down: true }), ["down", "up"]);
});

Deno.test("clearedAlong() finds the setups of another pair that a task further down needs", () => {
  const tasks = tasksOf({
    a: [],
    "up+": [],
    b: ["a", "up"],
    "down-": ["up", "b"],
  });
  const reach = { tasks: ["a"], includeUpstream: false, includeDownstream: true };
  assertEquals([...clearedAlong(tasks, reach)].sort(), ["down", "up"]);
  assertEquals(clearedAlong(tasks, { ...reach, includeDownstream: false }).size, 0);
});
