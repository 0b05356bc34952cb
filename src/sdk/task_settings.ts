/** @module From what authors write to what a task's description holds. */
import type { PermissionsSpec } from "../model/dag_spec.ts";
import { taskCallbacks } from "./callbacks.ts";
import { bytesOf, durationMs } from "./duration.ts";
import type { TaskDefaults } from "./options.ts";
import { retryRules } from "./retry_rules.ts";

/** The fields of a TaskSpec that come from settings; those not set are left out. */
export function taskSettings(options: TaskDefaults): Record<string, unknown> {
  const ms = (name: "retryDelay" | "retryDelayMax") =>
    options[name] === undefined ? undefined : durationMs(options[name], name);
  const callbacks = taskCallbacks(options);
  return {
    ...(callbacks ? { callbacks } : {}),
    retry: {
      retries: options.retries,
      backoff: options.backoff,
      delayMs: ms("retryDelay"),
      delayMsMax: ms("retryDelayMax"),
      ...(options.retryPolicy === undefined ? {} : { rules: retryRules(options.retryPolicy) }),
    },
    timeoutMs: options.timeout === undefined || options.timeout === null
      ? null
      : positive(durationMs(options.timeout, "timeout"), "timeout"),
    pool: options.pool,
    poolSlots: options.poolSlots,
    priorityWeight: options.priority,
    weightRule: options.weightRule,
    maxActiveTisPerDag: options.maxActiveTisPerDag,
    maxActiveTisPerDagrun: options.maxActiveTisPerDagrun,
    dependsOnPast: options.dependsOnPast,
    waitForDownstream: options.waitForDownstream,
    waitForPastDependsBeforeSkipping: options.waitForPastDependsBeforeSkipping,
    queue: options.queue,
    isolation: options.isolation,
    memoryBytesMax: options.memory === undefined
      ? undefined
      : positive(bytesOf(options.memory, "memory"), "memory"),
  };
}

/**
 * All sets of permissions in one, each list sorted and without repeats. Throws RangeError for a
 * `net` that is a URL.
 */
export function mergePermissions(
  ...sets: (Partial<PermissionsSpec> | undefined)[]
): PermissionsSpec {
  const all = (kind: keyof PermissionsSpec) =>
    [...new Set(sets.flatMap((set) => set?.[kind] ?? []))].sort();
  const net = all("net");
  const url = net.find((host) => /\/|^\w+:\D/.test(host) && !host.startsWith("connection:"));
  if (url !== undefined) {
    throw new RangeError(`permissions.net has "${url}"; give a host or host:port`);
  }
  return {
    net,
    read: all("read"),
    write: all("write"),
    env: all("env"),
    run: all("run"),
  };
}

function positive(value: number, what: string): number {
  if (value > 0) return value;
  throw new RangeError(`${what} is 0; give more than 0, or leave it out for the default`);
}
