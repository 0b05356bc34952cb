/** @module From how a job ended to what is reported of its attempt. Pure. */
import { z } from "zod";
import type { ChildError } from "../contract/child.ts";
import type { AttemptEnd, Workload } from "../contract/execution.ts";
import { accountingGap } from "../model/data.ts";
import { type EndEvidence, type EndReason, outcomeReasons } from "../model/end_reason.ts";
import { Outcome } from "../model/outcome.ts";
import { isRefusal } from "./child_error.ts";
import type { JobEnd } from "./executor.ts";

/** Why a supervisor stopped an attempt. */
export interface Stop {
  reason: "cancelled" | "timeout" | "memory_limit" | "drained" | "not_ours";
  /** Who wanted it, or what was seen. */
  by?: string;
}

/** What an end is made from. */
export interface EndFacts {
  job: JobEnd;
  stop: Stop | null;
  task: Workload["task"];
  rssBytesMax: number | null;
}

/** An end without its time and usage. */
export type EndVerdict = Omit<AttemptEnd, "endDate" | "rssBytesMax" | "cpuMs">;

const [Done, ...others] = Outcome.options;
/** It came as JSON, so its output is JSON, however deep. */
const Returned = z.discriminatedUnion("kind", [
  Done.extend({ output: z.unknown().optional() }),
  ...others,
]);

/** What is to be reported. */
export function decideEnd(facts: EndFacts): EndVerdict {
  const { job, stop } = facts;
  // What a task makes of its time while the worker drains still counts; a stopped one's does not.
  if (stop && !(stop.reason === "drained" && job.kind === "outcome")) return stopped(stop, facts);
  switch (job.kind) {
    case "outcome":
      return returned(job.outcome);
    case "failed":
      return threw(job.error);
    case "exited":
      return exited(job, facts);
    case "not_started":
      return failedEnd("never_started", { message: job.message });
  }
}

function stopped(
  { reason, by }: Stop,
  { job, task, rssBytesMax }: EndFacts,
): EndVerdict {
  const how = job.kind === "exited" ? { signal: job.signal ?? undefined } : {};
  switch (reason) {
    case "timeout":
      return failedEnd("timeout", {
        ...how,
        message: `The task ran longer than its timeout of ${task.timeoutMs} ms and was stopped`,
        timeoutMs: task.timeoutMs!,
      });
    case "memory_limit":
      return failedEnd("memory_limit", {
        ...how,
        message: `The task's process held ${mib(rssBytesMax ?? 0)} of memory, its limit is ` +
          `${mib(task.memoryBytesMax)}; give the task more memory, or let it do less at a time`,
        limitBytes: task.memoryBytesMax,
        rssBytesMax: rssBytesMax ?? undefined,
      });
    case "drained":
      return failedEnd("drained", { ...how, by, message: "The worker was stopped" });
    case "cancelled":
    case "not_ours":
      return failedEnd("cancelled", { ...how, by });
  }
}

function returned(outcome: unknown): EndVerdict {
  const parsed = Returned.safeParse(outcome);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    return failedEnd("invalid_outcome", {
      message: `What the task returned is not an outcome: ${issue.path.join(".")} ${issue.message}`,
    });
  }
  const data = parsed.data as Outcome;
  const rows = data.kind === "done" ? data.effects?.accounting : undefined;
  const gap = rows ? accountingGap(rows) : 0;
  if (gap !== 0) {
    return failedEnd("invalid_outcome", {
      message: `The task's rows do not add up: ${JSON.stringify(rows)} misses by ${gap} what ` +
        `in + generated = out + quarantined + mergedAway + filtered asks for`,
    });
  }
  const output = data.kind === "done" ? data.output : null;
  return {
    outcome: data,
    outputKey: null,
    outputLength: Array.isArray(output) ? output.length : null,
    endReason: outcomeReasons[data.kind],
    evidence: {},
    final: false,
  };
}

function threw(error: ChildError): EndVerdict {
  const { name, code, classes = [] } = error;
  const evidence = {
    message: `${prefix(error)}${error.message}`,
    stack: error.stack,
    error: { name, ...(code === undefined ? {} : { code }), classes },
    ...exitCodeOf(error),
  };
  const declared = error.detail?.endReason;
  if (declared === "bundle" || declared === "invalid_outcome") return failedEnd(declared, evidence);
  if (isRefusal(error)) {
    return failedEnd("permission", { ...evidence, message: refusalMessage(error) }, true);
  }
  if (error.code === "FORBIDDEN") return failedEnd("permission", evidence, true);
  return failedEnd("task_error", evidence, error.final === true);
}

/** Of a program that the task ran: what it said by its exit code. */
function exitCodeOf({ detail }: ChildError): Pick<EndEvidence, "exitCode"> {
  const code = detail?.exitCode;
  return typeof code === "number" && Number.isInteger(code) ? { exitCode: code } : {};
}

function exited(
  { exitCode, signal, stderr }: Extract<JobEnd, { kind: "exited" }>,
  { task, rssBytesMax }: EndFacts,
): EndVerdict {
  const said = stderr.length > 0 ? `; its last words: ${stderr.slice(-5).join(" | ")}` : "";
  const evidence: EndEvidence = {
    ...(exitCode === null ? {} : { exitCode }),
    ...(signal === null ? {} : { signal }),
    ...(rssBytesMax === null ? {} : { rssBytesMax }),
  };
  if (stderr.some((line) => /JavaScript( heap)? out of memory|OOM error in V8/i.test(line))) {
    return failedEnd("memory_limit", {
      ...evidence,
      message: `The task's JavaScript heap reached its limit of ${mib(task.memoryBytesMax)}; ` +
        `give the task more memory, or let it do less at a time`,
      limitBytes: task.memoryBytesMax,
    });
  }
  if (signal !== null) {
    const hint = signal === "SIGKILL" ? " (by the kernel when memory runs out, or by hand)" : "";
    return failedEnd("child_killed", {
      ...evidence,
      message: `The task's process was killed by ${signal}${hint}${said}`,
    });
  }
  return failedEnd("child_exit", {
    ...evidence,
    message: `The task's process ended with exit code ${exitCode} before the task did; ` +
      `a task ends by returning${said}`,
  });
}

/** A failure; what is undefined in the evidence is left out. */
export function failedEnd(
  endReason: EndReason,
  evidence: EndEvidence,
  final = false,
): EndVerdict {
  const given = Object.fromEntries(
    Object.entries(evidence).filter(([, value]) => value !== undefined),
  );
  return { outcome: null, outputKey: null, outputLength: null, endReason, evidence: given, final };
}

function prefix({ name, code }: ChildError): string {
  return name === "Error" || name === "AppError" || code !== undefined ? "" : `${name}: `;
}

const flagOf: Readonly<Record<string, string>> = {
  net: "net",
  read: "read",
  write: "write",
  env: "env",
  run: "run",
};

/** What was asked for, and how the task declares it. */
function refusalMessage({ message }: ChildError): string {
  const plain = message.replace(/,? run again with the .*$/s, "");
  const match = /Requires (\w+) access(?: to "([^"]+)")?/.exec(message);
  const [, kind, what] = match ?? [];
  if (kind === "import") {
    return `${plain}: a DAG imports its own files and npm packages of its lock, nothing else`;
  }
  const name = flagOf[kind];
  if (!name) return `${plain}: no task is given that`;
  const how = what ? `permissions: { ${name}: [${JSON.stringify(what)}] }` : `permissions.${name}`;
  return `${plain}: the task did not declare it; add ${how} to the task`;
}

function mib(bytes: number): string {
  return `${Math.round(bytes / 1024 / 1024)} MiB`;
}
