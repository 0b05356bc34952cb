/** @module Bulk jobs: what a request is about, checked before anything is made. */
import type { z } from "zod";
import { canonicalJson, sha256 } from "../base/hash.ts";
import { AppError } from "../model/errors.ts";
import type { BulkRunPlan, BulkTarget } from "../store/bulk.ts";
import { intervalOf } from "../timetable/mod.ts";
import { requireDag, type Rest } from "./rest.ts";
import { planRun } from "./runs.ts";
import type { BulkBody } from "./shapes/bulk.ts";

type Body = z.output<typeof BulkBody>;
type TriggerBody = Extract<Body, { action: "trigger" }>;
type RunFilterBody = Extract<Body, { action: "cancel" }>["filter"];

/** What a request is about, and the version that its runs are of. */
export interface BulkPlan {
  target: BulkTarget;
  dagVersionId: string | null;
}

/** Plan a request; throws INVALID naming the run that does not fit. */
export async function planBulk(rest: Rest, body: Body): Promise<BulkPlan> {
  switch (body.action) {
    case "trigger":
      return await planRuns(rest, body);
    case "cancel":
      return runsOf(body.filter, open(body.filter));
    case "clear":
      return runsOf(body.filter, finished(body.filter));
    case "pause":
    case "unpause": {
      const { dag_ids: dagIds, dag_id_pattern: pattern, tags } = body.filter;
      const filter = { dagIds, pattern, tags };
      const target = { kind: "dags", filter, isPaused: body.action === "pause" } as const;
      return { target, dagVersionId: null };
    }
  }
}

/** The same for requests that ask for the same. */
export function requestHash(body: Body): string {
  const { key: _, dry_run: __, ...asked } = body;
  return sha256(canonicalJson(JSON.parse(JSON.stringify(asked))));
}

async function planRuns(rest: Rest, body: TriggerBody): Promise<BulkPlan> {
  const dag = await requireDag(rest, body.dag_id);
  const refuse = (why: string) =>
    new AppError("INVALID", `Cannot start runs of DAG "${body.dag_id}": ${why}; none was made`);
  if (dag.isStale) throw refuse("its file is gone or does not export it any more");
  const version = await rest.versions.get(dag.versionId);
  const names = new Map<string, number>();
  const plans = body.runs.map((run, i): BulkRunPlan => {
    try {
      rest.checkConf(version, run.conf ?? {});
    } catch (error) {
      throw refuse(`runs.${i}: ${(error as Error).message}`);
    }
    const given = run.data_interval_start && run.data_interval_end
      ? { start: run.data_interval_start, end: run.data_interval_end }
      : null;
    if (given && given.start > given.end) {
      throw refuse(`runs.${i}: data_interval_start must not be after data_interval_end`);
    }
    const logicalDate = run.logical_date ?? null;
    const planned = planRun({
      version,
      runType: "manual",
      runId: run.dag_run_id ?? null,
      logicalDate,
      interval: given ?? (logicalDate ? intervalOf(version.spec, logicalDate) : null),
      runAfter: run.run_after ?? rest.clock.now(),
      conf: run.conf ?? {},
      backfillId: null,
      now: rest.clock.now(),
      traceParent: null,
    }, rest.ids);
    const twin = names.get(planned.runId);
    if (twin !== undefined) {
      throw refuse(`runs.${i} and runs.${twin} have one id, "${planned.runId}"`);
    }
    names.set(planned.runId, i);
    return {
      runId: planned.runId,
      logicalDate,
      interval: planned.dataIntervalStart
        ? { start: planned.dataIntervalStart, end: planned.dataIntervalEnd! }
        : null,
      runAfter: planned.runAfter,
      conf: planned.conf,
      note: run.note ?? null,
    };
  });
  return { target: { kind: "plans", dagId: dag.dagId, plans }, dagVersionId: version.id };
}

function runsOf(filter: RunFilterBody, states: string[]): BulkPlan {
  return {
    dagVersionId: null,
    target: {
      kind: "runs",
      filter: {
        dagIds: filter.dag_ids ?? null,
        states,
        runTypes: filter.run_types,
        dagId: { pattern: filter.dag_id_pattern },
        runId: { pattern: filter.run_id_pattern },
        logicalDate: { gte: filter.logical_date_gte, lte: filter.logical_date_lte },
        runAfter: { gte: filter.run_after_gte, lte: filter.run_after_lte },
      },
    },
  };
}

function open({ states }: RunFilterBody): string[] {
  return check(states ?? ["queued", "running"], ["queued", "running"], "cancel");
}

function finished({ states }: RunFilterBody): string[] {
  return check(states ?? ["failed"], ["success", "failed"], "clear");
}

function check(states: string[], allowed: string[], action: string): string[] {
  const odd = states.filter((state) => !allowed.includes(state));
  if (odd.length === 0) return states;
  throw new AppError(
    "INVALID",
    `Cannot ${action} runs that are ${odd.join(", ")}: it is for those that are ${
      allowed.join(" or ")
    }`,
  );
}
