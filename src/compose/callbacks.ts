/** @module What the delivery of events needs of the product: connections, and runs that it starts. */
import { confCheck, planRun } from "../api/runs.ts";
import { versionCache } from "../api/execution/versions.ts";
import { limits } from "../base/limits.ts";
import type { ReadConnection, StartRun, TakenEvent } from "../events/port.ts";
import { Deliverer } from "../events/deliverer.ts";
import { DeliveryError } from "../events/webhook.ts";
import { systemRandom } from "../base/random.ts";
import { AppError, hasCode } from "../model/errors.ts";
import { readConnectionSecret } from "../store/connection.ts";
import { findDag } from "../store/dag_query.ts";
import { annotateRun } from "../store/dag_run_query.ts";
import { callbackDepth, markCallback, outboxStore } from "../store/event_outbox.ts";
import type { DatabaseParts } from "./parts.ts";

/** Delivers events; any number of processes may. */
export function makeDeliverer(parts: DatabaseParts): Deliverer {
  const { sql, hints, clock, log, metrics } = parts;
  return new Deliverer({
    outbox: outboxStore(sql),
    startRun: runStarter(parts),
    readConnection: connectionReader(parts),
    subscribe: (onEvents) => hints.subscribe((hint) => hint.topic === "outbox" && onEvents()),
    random: systemRandom,
    ...{ clock, log, metrics },
  });
}

/** Secrets as the store has them; each read is audited. */
function connectionReader({ sql, secrets: box, clock }: DatabaseParts): ReadConnection {
  return (connectionId, event) =>
    readConnectionSecret(sql, {
      ...{ connectionId, box, now: clock.now() },
      reader: { actor: `event:${event.eventId}`, dagId: event.dagId, runId: runIdOf(event) },
    });
}

function runIdOf({ data }: TakenEvent): string | null {
  return typeof data.dag_run_id === "string" ? data.dag_run_id : null;
}

/** The run's name comes of the event, so that a second delivery finds the first one's. */
function runStarter(
  { sql, store, clock, ids, metrics }: Pick<
    DatabaseParts,
    "sql" | "store" | "clock" | "ids" | "metrics"
  >,
): StartRun {
  const versions = versionCache(store);
  const checkConf = confCheck();
  return async ({ dagId, conf: given, eventAs }, event) => {
    const depth = await callbackDepth(sql, event.dagRunId) + 1;
    const runId = `callback__${event.eventId}_${event.ordinal}`;
    if (depth > limits.callbackDepth) {
      throw new DeliveryError(
        `Cannot start DAG "${dagId}": ${depth - 1} callbacks in a row led here, at most ` +
          `${limits.callbackDepth} may; DAGs seem to start each other in a circle`,
        true,
      );
    }
    const dag = await findDag(sql, dagId);
    if (!dag || dag.isStale) {
      throw new AppError(
        "NOT_FOUND",
        `Cannot start DAG "${dagId}": ${dag ? "its file is gone" : "there is none of that id"}`,
      );
    }
    const version = await versions.get(dag.versionId);
    const conf = { ...given, ...(eventAs === null ? {} : { [eventAs]: event.data }) };
    checkConf(version, conf);
    const run = planRun({
      ...{ version, runType: "manual", runId, conf },
      ...{ logicalDate: null, interval: null, runAfter: clock.now(), now: clock.now() },
      ...{ backfillId: null, traceParent: null },
    }, ids);
    try {
      await store.createRun(run);
      metrics.inc("tidewheel_dagrun_created_total", { run_type: "manual" });
    } catch (error) {
      if (!hasCode(error, "CONFLICT")) throw error;
    }
    await markCallback(sql, { dagId, runId, depth });
    const note = `Started by ${event.type} of ${event.dagId}, ${event.subject}`;
    await annotateRun(sql, { id: run.id, note });
  };
}
