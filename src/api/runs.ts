/** @module Making runs: by hand and for backfills. */
import { Ajv2020, type ValidateFunction } from "ajv/2020";
import addFormats from "ajv-formats";
import type { Ids } from "../base/ids.ts";
import { AppError } from "../model/errors.ts";
import type { RunType } from "../model/run_state.ts";
import { newTraceParent } from "../metrics/trace.ts";
import type { NewRun } from "../store/port.ts";
import { deadlinesOf, type Interval } from "../timetable/mod.ts";
import type { CachedVersion } from "./execution/versions.ts";

/** What a run is made from. */
export interface RunPlan {
  version: CachedVersion;
  runType: RunType;
  runId: string | null;
  logicalDate: Date | null;
  interval: Interval | null;
  runAfter: Date;
  conf: Record<string, unknown>;
  backfillId: string | null;
  /** When it is made. */
  now: Date;
  /** Given by whoever asked; null: a trace of its own. */
  traceParent: string | null;
}

/** A run with ids for itself and its tasks. */
export function planRun(plan: RunPlan, ids: Ids): NewRun {
  const { version, runType, logicalDate, interval, runAfter } = plan;
  const id = ids.uuid();
  const hex = id.replaceAll("-", "");
  return {
    ...deadlinesOf(version.spec, plan, { now: plan.now, newId: () => ids.uuid() }),
    id,
    dagId: version.dagId,
    runId: plan.runId ?? defaultRunId(runType, logicalDate, runAfter, hex),
    runType,
    logicalDate,
    dataIntervalStart: interval?.start ?? null,
    dataIntervalEnd: interval?.end ?? null,
    runAfter,
    conf: plan.conf,
    dagVersionId: version.id,
    backfillId: plan.backfillId,
    traceParent: plan.traceParent ?? newTraceParent(hex + ids.uuid().replaceAll("-", "").slice(16)),
    tasks: version.spec.tasks.map((task) => ({
      id: ids.uuid(),
      taskId: task.taskId,
      maxTries: task.retry.retries,
    })),
  };
}

/** `manual__2030-01-01T00:00:00.000Z`; without a logical date a few digits keep it unique. */
function defaultRunId(type: RunType, logicalDate: Date | null, runAfter: Date, hex: string) {
  return logicalDate
    ? `${type}__${logicalDate.toISOString()}`
    : `${type}__${runAfter.toISOString()}_${hex.slice(-8)}`;
}

/** Checks a run's conf against its DAG's params. */
export type ConfCheck = (version: CachedVersion, conf: Record<string, unknown>) => void;

/** A check that keeps the validators of the newest versions; throws INVALID saying what is wrong. */
export function confCheck({ size = 500 }: { size?: number } = {}): ConfCheck {
  const ajv = new Ajv2020({ allErrors: true, strict: false, validateFormats: true });
  (addFormats as unknown as (ajv: Ajv2020) => void)(ajv);
  const kept = new Map<string, ValidateFunction>();

  function validatorOf(version: CachedVersion): ValidateFunction {
    const found = kept.get(version.id);
    if (found) return found;
    const { $schema: _, ...schema } = version.spec.paramsSchema as Record<string, unknown>;
    const validate = ajv.compile(schema);
    if (kept.size >= size) kept.delete(kept.keys().next().value!);
    kept.set(version.id, validate);
    return validate;
  }

  return (version, conf) => {
    if (version.spec.paramsSchema === null) return;
    const validate = validatorOf(version);
    const errors: Record<string, string> = {};
    if (validate({ ...version.spec.paramsDefault, ...conf })) return;
    for (const error of validate.errors ?? []) {
      const place = `conf${error.instancePath.replaceAll("/", ".")}`;
      const extra = (error.params as { additionalProperty?: string }).additionalProperty;
      const allowed = (error.params as { allowedValues?: unknown[] }).allowedValues;
      errors[extra === undefined ? place : `${place}.${extra}`] = extra !== undefined
        ? "is not a param of the DAG"
        : `${error.message}${allowed ? `: ${allowed.join(", ")}` : ""}`;
    }
    const text = Object.entries(errors).map(([place, why]) => `${place} ${why}`).join("; ");
    throw new AppError(
      "INVALID",
      `Cannot start a run of DAG "${version.dagId}": its conf does not fit the DAG's params: ${text}`,
      { detail: { errors } },
    );
  };
}
