import { assertEquals } from "@std/assert";
import { diffText } from "./versions.ts";

Deno.test("diffText() shows fields, tasks and files", () => {
  const text = diffText({
    dag_id: "d",
    version_number: 2,
    with: 1,
    fields: [{ field: "tags", old: [], new: ["x"] }],
    tasks_added: ["b"],
    tasks_removed: ["c"],
    tasks_changed: [{ task_id: "a", fields: [{ field: "pool", old: "p", new: "q" }] }],
    tasks_changed_total: 3,
    files: [
      { path: "a.ts", change: "changed", diff: "-1\n+2\n", no_diff: null },
      { path: "b.bin", change: "added", diff: null, no_diff: "the file is not text" },
    ],
  });
  assertEquals(
    text,
    `DAG d: version 1 -> 2
~ tags: [] -> ["x"]
+ task b
- task c
~ task a
    pool: "p" -> "q"
~ 2 more tasks
changed a.ts
-1
+2
added b.bin (no diff: the file is not text)
`,
  );
});
