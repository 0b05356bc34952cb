/** @module A run that fails fast: its first failure ends everything of it but teardowns. */
import { isIgnorable } from "../model/setup_teardown.ts";
import type { Run } from "./instance.ts";

/** The task whose failure ends the run; null while there is none. A teardown's counts if it says so. */
export function failedFastBy(run: Run): string | null {
  if (!run.plan.spec.failFast || run.counts.of("failed") === 0) return null;
  const failed = run.tasks.find(({ counts, plan }) =>
    counts.of("failed") > 0 && !isIgnorable(plan.spec)
  );
  return failed?.plan.spec.taskId ?? null;
}
