import { assertEquals } from "@std/assert";
import { DagSpec } from "../model/dag_spec.ts";
import { diffDags } from "./dag_diff.ts";

const task = (taskId: string, fields = {}) => ({
  taskId,
  operator: "task",
  upstream: [],
  retry: { retries: 0 },
  ...fields,
});
const dag = (tasks: object[], fields = {}) =>
  DagSpec.parse({ dagId: "d", schedule: { kind: "none" }, ...fields, tasks });

Deno.test("diffDags() finds nothing between equal DAGs, whatever the order of keys and tasks", () => {
  const before = dag([task("a", { params: { x: 1, y: 2 } }), task("b")]);
  const after = dag([task("b"), task("a", { params: { y: 2, x: 1 } })]);
  assertEquals(diffDags(before, after), {
    fields: [],
    tasksAdded: [],
    tasksRemoved: [],
    tasksChanged: [],
  });
});

Deno.test("diffDags() names fields and tasks, with the values of both sides", () => {
  const before = dag([task("a"), task("b", { pool: "p" })], { tags: ["x"] });
  const after = dag([task("b", { upstream: ["c"], doc: "why" }), task("c")], {
    tags: ["x", "y"],
    paramsDefault: { n: 1 },
    failFast: true,
  });
  assertEquals(diffDags(before, after), {
    fields: [
      { field: "failFast", old: null, new: true },
      { field: "paramsDefault", old: {}, new: { n: 1 } },
      { field: "tags", old: ["x"], new: ["x", "y"] },
    ],
    tasksAdded: ["c"],
    tasksRemoved: ["a"],
    tasksChanged: [{
      taskId: "b",
      fields: [
        { field: "doc", old: null, new: "why" },
        { field: "pool", old: "p", new: "default_pool" },
        { field: "upstream", old: [], new: ["c"] },
      ],
    }],
  });
});
