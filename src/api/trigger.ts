/** @module Starting a run that somebody asked for. */
import type { z } from "zod";
import { AppError } from "../model/errors.ts";
import type { DagRun } from "../model/rows.ts";
import type { RunType } from "../model/run_state.ts";
import type { DatasetsSpec } from "../model/schedule_spec.ts";
import type { NewRun } from "../store/port.ts";
import { intervalOf, partitionFor, partitionInterval, partitionNeeds } from "../timetable/mod.ts";
import { requireDag, type Rest } from "./rest.ts";
import { planRun } from "./runs.ts";
import type { TriggerBody } from "./shapes/dag_run.ts";

/** Make the run that somebody asked for. */
export async function trigger(
  rest: Rest,
  dagId: string,
  body: z.output<typeof TriggerBody>,
  { traceParent, runType = "manual" }: { traceParent: string | null; runType?: RunType },
): Promise<DagRun> {
  const dag = await requireDag(rest, dagId);
  if (dag.isStale) {
    throw new AppError(
      "CONFLICT",
      `Cannot start DAG "${dagId}": its file ${dag.fileloc} is gone or does not export it any more`,
    );
  }
  const version = await rest.versions.get(dag.versionId);
  const conf = body.conf ?? {};
  rest.checkConf(version, conf);
  const logicalDate = body.logical_date ?? null;
  const given = body.data_interval_start && body.data_interval_end
    ? { start: body.data_interval_start, end: body.data_interval_end }
    : null;
  const { schedule, timezone } = version.spec;
  const partition = body.partition_key ?? null;
  const byPartition = partition !== null && schedule.kind === "datasets" && schedule.partition
    ? await partitionOf(rest, { dagId, partition, schedule, timezone })
    : null;
  const run = planRun({
    version,
    runType,
    runId: body.dag_run_id ?? null,
    logicalDate,
    interval: given ?? (logicalDate ? intervalOf(version.spec, logicalDate) : null) ??
      byPartition?.interval ?? null,
    runAfter: body.run_after ?? rest.clock.now(),
    conf,
    backfillId: null,
    now: rest.clock.now(),
    traceParent,
  }, rest.ids);
  return await rest.store.createRun({ ...run, partitionKey: partition, ...byPartition?.takes });
}

/** A partition's run by hand takes what waits for it, whole or not. */
async function partitionOf(
  { store, clock }: Rest,
  { dagId, partition, schedule, timezone }: {
    dagId: string;
    partition: string;
    schedule: DatasetsSpec;
    timezone: string;
  },
) {
  const spec = schedule.partition!;
  const interval = partitionInterval(spec, partition, timezone);
  const isOne = spec.kind === "each" || interval !== null ||
    partitionNeeds(spec, partition, clock.now()) !== null;
  if (!isOne) {
    throw new AppError(
      "INVALID",
      `Cannot start a run of DAG "${dagId}" for the partition "${partition}": ` +
        (spec.kind === "groups"
          ? `its partitions are ${Object.keys(spec.groups).join(", ")}`
          : `it is no ${spec.kind === "rollup" ? spec.over : "partition"}; ` +
            "they are written as 2026-W01, 2026-01, 2026-Q1, 2026"),
    );
  }
  const [dag] = await store.loadDags([dagId]);
  const partitions = [
    ...new Set(
      (dag?.pending ?? []).map((one) => one.partition)
        .filter((key) => partitionFor(spec, key) === partition),
    ),
  ];
  const takes: Pick<NewRun, "takes"> = { takes: { partitions, isRequired: false } };
  return { interval, takes };
}
