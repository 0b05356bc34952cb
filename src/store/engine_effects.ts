/** @module What a success writes beside the task's state: versions, lineage, quarantine, cursors. */
import type { TransactionSql } from "postgres";
import { canonicalJson, sha256 } from "../base/hash.ts";
import type { Ids } from "../base/ids.ts";
import { limits } from "../base/limits.ts";
import { AppError } from "../model/errors.ts";
import type { PublishIntent, Quarantine } from "../model/data.ts";
import { queueEvent } from "./engine_events.ts";
import { rows } from "./engine_rows.ts";
import type { AttemptEnding } from "./port.ts";

interface Origin {
  attemptId: string;
  taskInstanceId: string;
  dagRunId: string;
  dagVersionId: string;
  dagId: string;
  runId: string;
  taskId: string;
  mapIndex: number;
}

/**
 * Write all effects of `ending`; the caller's transaction holds the instance's row. The DAGs for
 * which dataset events were left.
 */
export async function writeEffects(
  tx: TransactionSql,
  ids: Ids,
  ending: AttemptEnding,
  now: Date,
): Promise<string[]> {
  const effects = ending.effects!;
  const origin = await originOf(tx, ending.attemptId);
  const { accounting, metrics } = effects;
  await tx`
    update attempt set metrics = ${JSON.stringify(metrics ?? {})}::text::jsonb,
      rows_in = ${accounting?.in ?? null}, rows_generated = ${accounting?.generated ?? null},
      rows_out = ${accounting?.out ?? null}, rows_quarantined = ${accounting?.quarantined ?? null},
      rows_merged_away = ${accounting?.mergedAway ?? null},
      rows_filtered = ${accounting?.filtered ?? null}
    where id = ${ending.attemptId}`;
  // In the order of names, so that two publishers never wait for each other's lock.
  const intents = (effects.publish ?? []).toSorted((a, b) => a.dataset < b.dataset ? -1 : 1);
  const waiting = new Set<string>();
  for (const intent of intents) {
    for (const dagId of await publish(tx, ids, origin, intent, now)) waiting.add(dagId);
  }
  for (const quarantine of effects.quarantine ?? []) await keep(tx, ids, origin, quarantine, now);
  if (effects.state) await writeState(tx, origin, effects.state, now);
  return [...waiting];
}

async function originOf(tx: TransactionSql, attemptId: string): Promise<Origin> {
  const [origin] = await tx<Origin[]>`
    select a.id as "attemptId", t.id as "taskInstanceId", r.id as "dagRunId",
      r.dag_version_id as "dagVersionId", r.dag_id as "dagId", r.run_id as "runId",
      t.task_id as "taskId", t.map_index as "mapIndex"
    from attempt a join task_instance t on t.id = a.task_instance_id
    join dag_run r on r.id = t.dag_run_id
    where a.id = ${attemptId}`;
  return origin;
}

/** The content's identity: the same files give the same hash, whoever wrote them. */
export function contentHash(intent: PublishIntent): string {
  return sha256(canonicalJson(intent.files.map((file) => [file.sha256, file.bytes])));
}

async function publish(
  tx: TransactionSql,
  ids: Ids,
  origin: Origin,
  intent: PublishIntent,
  now: Date,
): Promise<string[]> {
  await tx`
    insert into dataset (name, kind, created_at) values (${intent.dataset}, ${intent.kind}, ${now})
    on conflict (name) do nothing`;
  const [dataset] = await tx<{ kind: string; knownAt: string }[]>`
    update dataset set
      kind = case when kind = 'external' then ${intent.kind} else kind end,
      last_known_at = greatest(${now}, last_known_at + interval '1 microsecond')
    where name = ${intent.dataset}
    returning kind, last_known_at::text as "knownAt"`;
  if (dataset.kind !== intent.kind) {
    throw new AppError(
      "CONFLICT",
      `Cannot publish "${intent.dataset}" as ${intent.kind}: it is a ${dataset.kind} dataset`,
    );
  }
  const id = ids.uuid();
  await tx`
    insert into dataset_version (id, dataset, partition, version, kind, known_at, sha256, rows,
      bytes, schema, files, lineage_files, metrics, attempt_id, task_instance_id, dag_run_id,
      dag_version_id, dag_id, run_id, task_id)
    select ${id}, ${intent.dataset}, ${intent.partition}, coalesce(max(version), 0) + 1,
      ${intent.kind}, ${dataset.knownAt}::text::timestamptz, ${contentHash(intent)}, ${intent.rows},
      ${intent.files.reduce((sum, file) => sum + file.bytes, 0)},
      ${intent.schema && JSON.stringify(intent.schema)}::text::jsonb,
      ${rows(intent.files)}::text::jsonb, ${rows(intent.lineageFiles)}::text::jsonb,
      ${JSON.stringify(intent.metrics)}::text::jsonb, ${origin.attemptId},
      ${origin.taskInstanceId}, ${origin.dagRunId}, ${origin.dagVersionId}, ${origin.dagId},
      ${origin.runId}, ${origin.taskId}
    from dataset_version where dataset = ${intent.dataset} and partition = ${intent.partition}`;
  await tx`
    insert into dataset_version_input
      (dataset_version_id, ordinal, dataset, partition, input_version_id)
    select ${id}, i.ordinal, i.dataset, i.partition, (
      select v.id from dataset_version v
      where v.dataset = i.dataset and v.partition = i.partition
        and (i.sha256 is null or v.sha256 = i.sha256)
      order by v.version desc limit 1)
    from jsonb_to_recordset(${rows(intent.inputs.map((input, i) => ({ ...input, ordinal: i })))}
      ::text::jsonb) as i(ordinal int, dataset text, partition text, sha256 text)`;
  const columns = intent.columns.flatMap(({ column: name, inputs, transformation }) =>
    inputs.map(({ dataset, column: input }) => ({ name, dataset, input, transformation }))
  );
  await tx`
    insert into column_lineage
      (dataset_version_id, column_name, input_dataset, input_column, transformation)
    select ${id}, "name", dataset, input, transformation
    from jsonb_to_recordset(${rows(columns)}::text::jsonb)
      as c("name" text, dataset text, input text, transformation text)
    on conflict do nothing`;
  const eventId = ids.uuid();
  await tx`
    insert into asset_event (id, dataset, dataset_version_id, partition, created_at)
    values (${eventId}, ${intent.dataset}, ${id}, ${intent.partition}, ${now})`;
  return await queueEvent(tx, eventId, intent, origin.dagRunId);
}

async function keep(tx: TransactionSql, ids: Ids, origin: Origin, kept: Quarantine, now: Date) {
  const id = ids.uuid();
  await tx`
    insert into quarantine (id, attempt_id, task_instance_id, dag_run_id, dataset, source, file,
      rows, reasons, created_at)
    values (${id}, ${origin.attemptId}, ${origin.taskInstanceId}, ${origin.dagRunId},
      ${kept.dataset}, ${kept.source}, ${JSON.stringify(kept.file)}::text::jsonb, ${kept.rows},
      ${JSON.stringify(kept.reasons)}::text::jsonb, ${now})`;
  await tx`
    insert into quarantine_row (quarantine_id, ordinal, file, row_number, byte_offset, column_name,
      rule, reason, raw)
    select ${id}, ordinal, file, row, "offset", "column", rule, reason, raw
    from jsonb_to_recordset(${rows(kept.sample.map((row, i) => ({ ...row, ordinal: i })))}
      ::text::jsonb) as q(ordinal int, file text, row bigint, "offset" bigint, "column" text,
      rule text, reason text, raw text)`;
}

async function writeState(
  tx: TransactionSql,
  { dagId, taskId, mapIndex }: Origin,
  state: Record<string, unknown>,
  now: Date,
) {
  const entries = Object.entries(state);
  const removed = entries.filter(([, value]) => value === null).map(([key]) => key);
  const set = entries.filter(([, value]) => value !== null).map(([key, value]) => ({ key, value }));
  await tx`
    delete from task_state where dag_id = ${dagId} and task_id = ${taskId}
      and map_index = ${mapIndex} and key = any(${removed})`;
  await tx`
    insert into task_state (dag_id, task_id, map_index, key, value, updated_at)
    select ${dagId}, ${taskId}, ${mapIndex}, key, value, ${now}
    from jsonb_to_recordset(${rows(set)}::text::jsonb) as s(key text, value jsonb)
    on conflict (dag_id, task_id, map_index, key)
      do update set value = excluded.value, updated_at = excluded.updated_at`;
  const [{ bytes }] = await tx<{ bytes: number }[]>`
    select coalesce(sum(octet_length(key) + octet_length(value::text)), 0)::float8 as bytes
    from task_state where dag_id = ${dagId} and task_id = ${taskId} and map_index = ${mapIndex}`;
  if (bytes <= limits.stateBytes) return;
  throw new AppError(
    "TOO_LARGE",
    `Cannot keep the state of task "${taskId}": with what earlier attempts left it has ${bytes} ` +
      `bytes, at most ${limits.stateBytes} can be; set keys that are not needed any more to null`,
  );
}
