/** @module Which DAGs have events come from outside, and what of these was refused. */
import type { WatchSpec } from "../model/watch_spec.ts";
import type { Sql } from "./database.ts";
import type { Listed, Page } from "./page.ts";

/** A DAG with a source of its events. */
export interface WatchRow<W extends WatchSpec = WatchSpec> {
  dagId: string;
  /** The dataset that its events are of. */
  dataset: string;
  watch: W;
}

/** What the DAGs with a file watch, of one kind or of all. */
export async function listWatches<K extends WatchSpec["kind"]>(
  sql: Sql,
  kind: K,
): Promise<WatchRow<Extract<WatchSpec, { kind: K }>>[]> {
  return await sql<WatchRow<Extract<WatchSpec, { kind: K }>>[]>`
    select d.dag_id, v.spec #>> '{schedule,datasets,0}' as dataset,
      v.spec #> '{schedule,watch}' as watch
    from dag_version v join dag d on d.dag_version_id = v.id
    where v.spec #>> '{schedule,watch,kind}' = ${kind} and not d.is_stale
    order by d.dag_id`;
}

/** A file as its newest event has it. */
export interface KnownFileRow {
  path: string;
  bytes: number;
  modifiedAt: string;
}

/** The files of a dataset of watched files that have an event, each as it was last. */
export async function listKnownFiles(sql: Sql, dataset: string): Promise<KnownFileRow[]> {
  return await sql<KnownFileRow[]>`
    select distinct on (extra ->> 'path') extra ->> 'path' as path,
      (extra ->> 'bytes')::float8 as bytes, extra ->> 'modifiedAt' as modified_at
    from asset_event where dataset = ${dataset}
    order by extra ->> 'path', seq desc`;
}

/** Something from outside that is no event, and why. */
export interface RefusedEvent {
  dataset: string;
  /** Where it was: topic, partition and offset. */
  place: string;
  reason: string;
  /** The beginning of it, as text. */
  raw: string;
}

/** One as it is kept. */
export interface RefusedEventRow extends RefusedEvent {
  id: number;
  createdAt: Date;
}

/** Keep what was refused, each place once. */
export async function keepRefused(
  sql: Sql,
  refused: readonly RefusedEvent[],
  now: Date,
): Promise<void> {
  if (refused.length === 0) return;
  const given = JSON.stringify(refused.map((one) => ({
    ...one,
    raw: one.raw.toWellFormed().replaceAll("\0", "\ufffd"),
  })));
  await sql`
    insert into refused_event (dataset, place, reason, raw, created_at)
    select dataset, place, reason, raw, ${now}
    from jsonb_to_recordset(${given}::text::jsonb)
      as r(dataset text, place text, reason text, raw text)
    on conflict (dataset, place) do nothing`;
}

/** A page of what was refused, newest first. */
export async function listRefused(
  sql: Sql,
  { dataset }: { dataset?: string },
  { limit, offset }: Pick<Page, "limit" | "offset">,
): Promise<Listed<RefusedEventRow>> {
  const condition = dataset === undefined ? sql`` : sql`where dataset = ${dataset}`;
  const [items, [{ total }]] = await Promise.all([
    sql<RefusedEventRow[]>`
      select id, dataset, place, reason, raw, created_at from refused_event ${condition}
      order by id desc limit ${limit} offset ${offset}`,
    sql<{ total: number }[]>`select count(*) as total from refused_event ${condition}`,
  ]);
  return { items, total };
}
