/** @module DAG files of the benches. */

/** `length` no-op tasks, one after the other. */
export function chain(id: string, length: number, isolation: "warm" | "fresh" = "warm"): string {
  return `import { dag, task } from "tidewheel";
export default dag({ id: "${id}", schedule: null, maxActiveRuns: 1000, maxActiveTasks: 1000 }, () => {
  let last = task({ id: "t000", isolation: "${isolation}" }, () => null);
  for (let i = 1; i < ${length}; i++) {
    const next = task({ id: "t" + String(i).padStart(3, "0"), isolation: "${isolation}" }, () => null);
    last.before(next);
    last = next;
  }
});
`;
}

/** One task that puts out a list, and one mapped over it. */
export function fanOut(id: string, width: number, isolation: "warm" | "fresh" = "warm"): string {
  return `import { dag, task } from "tidewheel";
export default dag({ id: "${id}", schedule: null, maxActiveRuns: 10, maxActiveTasks: 1000 }, () => {
  const list = task({ id: "list" }, () => Array.from({ length: ${width} }, (_, i) => i));
  list.expand((item) =>
    task({ id: "work", inputs: { item }, isolation: "${isolation}", pool: "wide" }, () => null)
  );
});
`;
}
