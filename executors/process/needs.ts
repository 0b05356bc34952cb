/** @module What a job needs of its process: two jobs with equal needs can share a warm one. */
import type { PermissionsSpec } from "../../src/model/dag_spec.ts";
import type { JobCode, JobSpec } from "../../src/worker/executor.ts";

/** See the module. */
export interface Needs {
  /** Equal for equal needs; no two attempts share one where each gets a fresh process. */
  key: string;
  isolation: "warm" | "fresh";
  code: JobCode;
  /** Module of the bundle that is imported. */
  entry: string;
  permissions: PermissionsSpec;
  memoryBytesMax: number;
}

/** The needs of a job. */
export function needsOf({ workload, code, permissions }: JobSpec): Needs {
  const { task: { isolation, connections, memoryBytesMax }, bundle: { hash, entry } } = workload;
  const { net, read, write, env, run } = permissions;
  const key = isolation === "fresh"
    ? workload.attemptId
    : JSON.stringify([hash, entry, connections, memoryBytesMax, net, read, write, env, run]);
  return { key, isolation, code, entry, permissions, memoryBytesMax };
}
