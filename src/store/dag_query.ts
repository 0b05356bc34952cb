/** @module DAGs as pages and lists see them: tables dag, dag_version. */
import type { DagSpec } from "../model/dag_spec.ts";
import type { RunState } from "../model/run_state.ts";
import type { AnySql, Sql } from "./database.ts";
import {
  type Fragment,
  type Listed,
  matches,
  oneOf,
  orderBy,
  type Page,
  startsWith,
  where,
} from "./page.ts";

/** A DAG with its current version; the spec comes without its tasks. */
export interface DagRow {
  dagId: string;
  isPaused: boolean;
  /** Why, where it was not a person who paused it. */
  pauseReason: string | null;
  isStale: boolean;
  fileloc: string;
  lastParsedAt: Date;
  nextRunAt: Date | null;
  lastIntervalStart: Date | null;
  lastIntervalEnd: Date | null;
  hasImportErrors: boolean;
  versionId: string;
  versionNumber: number;
  versionCreatedAt: Date;
  bundleHash: string;
  spec: Omit<DagSpec, "tasks">;
}

/** Filters of {@link listDags}. */
export interface DagFilter {
  ids?: readonly string[];
  pattern?: string;
  prefix?: string;
  tags?: readonly string[];
  tagsMatchAll?: boolean;
  owners?: readonly string[];
  isPaused?: boolean;
  isStale?: boolean;
  hasImportErrors?: boolean;
  /** State of its newest run. */
  lastRunState?: RunState;
  /** It has runs in one of these states. */
  runStates?: readonly string[];
}

const columns = (sql: Sql) =>
  sql`
  d.dag_id, d.is_paused, d.pause_reason, d.is_stale, d.fileloc, d.last_parsed_at, d.next_run_at,
  d.last_interval_start, d.last_interval_end,
  exists (select from import_error e where e.file = d.fileloc) as has_import_errors,
  v.id as version_id, v.version_number, v.created_at as version_created_at, v.bundle_hash,
  v.spec - 'tasks' as spec`;

/** Fields that a list may be ordered by. */
export const dagOrders = [
  "dag_id",
  "dag_display_name",
  "is_paused",
  "next_dagrun",
  "last_parsed_time",
  "last_run_state",
  "last_run_start_date",
] as const;

/** A page of DAGs. */
export async function listDags(
  sql: Sql,
  filter: DagFilter,
  page: Page,
): Promise<Listed<DagRow>> {
  const condition = where(sql, conditionsOf(sql, filter));
  const newest = (column: Fragment) =>
    sql`(select ${column} from dag_run r where r.dag_id = d.dag_id
      order by r.run_after desc, r.id desc limit 1)`;
  const order = orderBy(sql, page.orderBy, {
    dag_id: sql`d.dag_id`,
    dag_display_name: sql`d.dag_id`,
    is_paused: sql`d.is_paused`,
    next_dagrun: { nullable: sql`d.next_run_at` },
    last_parsed_time: sql`d.last_parsed_at`,
    last_run_state: { nullable: newest(sql`r.state`) },
    last_run_start_date: { nullable: newest(sql`r.start_date`) },
  }, sql`d.dag_id`);
  const [items, [{ total }]] = await Promise.all([
    sql<DagRow[]>`
      select ${columns(sql)} from dag d join dag_version v on v.id = d.dag_version_id
      ${condition} ${order} limit ${page.limit} offset ${page.offset}`,
    sql<{ total: number }[]>`
      select count(*) as total from dag d join dag_version v on v.id = d.dag_version_id
      ${condition}`,
  ]);
  return { items, total };
}

function conditionsOf(sql: Sql, filter: DagFilter): (Fragment | null)[] {
  const { tags, owners } = filter;
  return [
    oneOf(sql, sql`d.dag_id`, filter.ids),
    matches(sql, sql`d.dag_id`, filter.pattern),
    startsWith(sql, sql`d.dag_id`, filter.prefix),
    tags
      ? filter.tagsMatchAll
        ? sql`(v.spec -> 'tags') ?& ${[...tags]}::text[]`
        : sql`(v.spec -> 'tags') ?| ${[...tags]}::text[]`
      : null,
    owners ? sql`v.spec ->> 'owner' = any(${[...owners]})` : null,
    filter.isPaused === undefined ? null : sql`d.is_paused = ${filter.isPaused}`,
    filter.isStale === undefined ? null : sql`d.is_stale = ${filter.isStale}`,
    filter.hasImportErrors === undefined ? null : sql`${filter.hasImportErrors} = exists (
          select from import_error e where e.file = d.fileloc)`,
    filter.lastRunState === undefined
      ? null
      : sql`${filter.lastRunState} = (select r.state from dag_run r where r.dag_id = d.dag_id
          order by r.run_after desc, r.id desc limit 1)`,
    filter.runStates
      ? sql`exists (select from dag_run r
          where r.dag_id = d.dag_id and r.state = any(${[...filter.runStates]}))`
      : null,
  ];
}

/** One DAG, or null. */
export async function findDag(sql: Sql, dagId: string): Promise<DagRow | null> {
  const [dag] = await sql<DagRow[]>`
    select ${columns(sql)} from dag d join dag_version v on v.id = d.dag_version_id
    where d.dag_id = ${dagId}`;
  return dag ?? null;
}

/** Pause or unpause; false where there is no such DAG. */
export async function setPaused(
  sql: AnySql,
  { dagIds, isPaused }: { dagIds: readonly string[]; isPaused: boolean },
): Promise<string[]> {
  const changed = await sql<{ dagId: string }[]>`
    update dag set is_paused = ${isPaused}, pause_reason = null, paused_by_all = false
    where dag_id = any(${[...dagIds]}) returning dag_id`;
  return changed.map((row) => row.dagId);
}

/** What became of a DAG that was to be deleted: `kept` says why it stays. */
export type DagDeletion = { kind: "deleted" | "missing" } | { kind: "kept"; why: string };

/**
 * Remove a DAG whose file is gone, with all of its runs; not where one of them published: its
 * attempts and refused rows say where a version came from.
 */
export async function deleteDag(sql: Sql, dagId: string): Promise<DagDeletion> {
  return await sql.begin(async (tx) => {
    const [dag] = await tx<{ isStale: boolean }[]>`
      select is_stale from dag where dag_id = ${dagId} for update`;
    if (!dag) return { kind: "missing" };
    if (!dag.isStale) return kept("its file is still there; remove the file first");
    const active = await tx`
      select 1 from dag_run where dag_id = ${dagId} and state in ('queued', 'running') limit 1`;
    if (active.length > 0) return kept("it has unfinished runs; cancel them first");
    const [published] = await tx<{ runId: string; version: string }[]>`
      select v.run_id, v.dataset || '[' || v.partition || '] version ' || v.version as version
      from dag_run r join dataset_version v on v.dag_run_id = r.id
      where r.dag_id = ${dagId} order by v.known_at desc limit 1`;
    if (published) {
      const { runId, version } = published;
      return kept(
        `its run "${runId}" published ${version}, whose lineage and refused rows go with it`,
      );
    }
    await tx`delete from dag_run where dag_id = ${dagId}`;
    await tx`update dag set dag_version_id = null where dag_id = ${dagId}`;
    await tx`delete from dag where dag_id = ${dagId}`;
    return { kind: "deleted" };
  });
}

function kept(why: string): DagDeletion {
  return { kind: "kept", why };
}

/** A version of a DAG as lists show it. */
export interface DagVersionRow {
  id: string;
  dagId: string;
  versionNumber: number;
  bundleHash: string;
  createdAt: Date;
}

/** Versions of a DAG (`~`: of all), newest first unless ordered otherwise. */
export async function listDagVersions(
  sql: Sql,
  { dagId, versionNumber, bundleVersion }: {
    dagId: string | null;
    versionNumber?: number;
    bundleVersion?: string;
  },
  page: Page,
): Promise<Listed<DagVersionRow>> {
  const condition = where(sql, [
    dagId === null ? null : sql`dag_id = ${dagId}`,
    versionNumber === undefined ? null : sql`version_number = ${versionNumber}`,
    bundleVersion === undefined ? null : sql`bundle_hash = ${bundleVersion}`,
  ]);
  const order = orderBy(sql, page.orderBy, {
    id: sql`created_at`,
    version_number: sql`version_number`,
    created_at: sql`created_at`,
    dag_id: sql`dag_id`,
  }, sql`id`);
  const [items, [{ total }]] = await Promise.all([
    sql<DagVersionRow[]>`
      select id, dag_id, version_number, bundle_hash, created_at from dag_version
      ${condition} ${order} limit ${page.limit} offset ${page.offset}`,
    sql<{ total: number }[]>`select count(*) as total from dag_version ${condition}`,
  ]);
  return { items, total };
}

const versionColumns = (sql: Sql) => sql`id, dag_id, version_number, bundle_hash, created_at`;

/** A version of a DAG by its number. */
export async function findDagVersion(sql: Sql, dagId: string, number: number) {
  const [found] = await sql<DagVersionRow[]>`
    select ${versionColumns(sql)} from dag_version
    where dag_id = ${dagId} and version_number = ${number}`;
  return found ?? null;
}

/** The newest version older than this one; retention may have taken the one right before. */
export async function findVersionBefore(sql: Sql, dagId: string, number: number) {
  const [found] = await sql<DagVersionRow[]>`
    select ${versionColumns(sql)} from dag_version
    where dag_id = ${dagId} and version_number < ${number}
    order by version_number desc limit 1`;
  return found ?? null;
}

/** Versions by id. */
export async function findDagVersions(sql: Sql, ids: readonly string[]) {
  if (ids.length === 0) return new Map<string, DagVersionRow>();
  const found = await sql<DagVersionRow[]>`
    select id, dag_id, version_number, bundle_hash, created_at from dag_version
    where id = any(${[...ids]}::uuid[])`;
  return new Map(found.map((version) => [version.id, version]));
}

/** The text of a DAG's file at a version (default: the current one), or null. */
export async function findDagSource(
  sql: Sql,
  { dagId, versionNumber }: { dagId: string; versionNumber: number | null },
): Promise<{ source: string; versionNumber: number } | null> {
  const [found] = await sql<{ source: string; versionNumber: number }[]>`
    select v.source, v.version_number from dag_version v join dag d on d.dag_id = v.dag_id
    where v.dag_id = ${dagId}
      and (v.version_number = ${versionNumber}::int or ${versionNumber}::int is null
        and v.id = d.dag_version_id)`;
  return found ?? null;
}

/** Every tag that a DAG has. */
export async function listTags(
  sql: Sql,
  { pattern, prefix }: { pattern?: string; prefix?: string },
  page: Page,
): Promise<Listed<string>> {
  const condition = where(sql, [
    sql`not d.is_stale`,
    matches(sql, sql`t.tag`, pattern),
    startsWith(sql, sql`t.tag`, prefix),
  ]);
  const order = orderBy(sql, page.orderBy, { name: sql`tag` }, sql`tag`);
  const found = await sql<{ tag: string; total: number }[]>`
    select tag, count(*) over () as total from (
      select distinct t.tag from dag d join dag_version v on v.id = d.dag_version_id
      cross join lateral jsonb_array_elements_text(v.spec -> 'tags') t(tag) ${condition}) tags
    ${order} limit ${page.limit} offset ${page.offset}`;
  return { items: found.map((row) => row.tag), total: found[0]?.total ?? 0 };
}

/** Runs by DAG and state. */
export async function countRuns(sql: Sql, dagIds: readonly string[] | null) {
  return await sql<{ dagId: string; state: RunState; count: number }[]>`
    select d.dag_id, r.state, count(r.id) as count
    from dag d left join dag_run r on r.dag_id = d.dag_id
    ${dagIds ? sql`where d.dag_id = any(${[...dagIds]})` : sql`where not d.is_stale`}
    group by d.dag_id, r.state order by d.dag_id`;
}

/** Id of some DAG, or null where there is none. */
export async function anyDagId(sql: Sql): Promise<string | null> {
  const [dag] = await sql<{ dagId: string }[]>`select dag_id from dag where not is_stale limit 1`;
  return dag?.dagId ?? null;
}

/** DAGs and import errors in all: for metrics and health. */
export async function countDags(sql: Sql) {
  const [counts] = await sql<{ dags: number; importErrors: number; lastParsedAt: Date | null }[]>`
    select (select count(*) from dag where not is_stale) as dags,
      (select count(*) from import_error) as import_errors,
      (select max(parsed_at) from parsed_file) as last_parsed_at`;
  return counts;
}

/** Unfinished runs, and their task instances, by state: for metrics. */
export async function countUnfinished(sql: Sql) {
  const [runs, tasks] = await Promise.all([
    sql<{ state: string; count: number }[]>`
      select state, count(*) as count from dag_run
      where state in ('queued', 'running') group by state`,
    sql<{ state: string; count: number }[]>`
      select t.state, count(*) as count
      from dag_run r join task_instance t on t.dag_run_id = r.id
      where r.state in ('queued', 'running') group by t.state`,
  ]);
  return { runs: [...runs], tasks: [...tasks] };
}

/** DAGs whose schedules go by calendars, all or one, without tasks; not those whose file is gone. */
export function listByCalendar(
  sql: Sql,
  dagId?: string,
): Promise<{ dagId: string; spec: Omit<DagSpec, "tasks"> }[]> {
  return sql<{ dagId: string; spec: Omit<DagSpec, "tasks"> }[]>`
    select d.dag_id, v.spec - 'tasks' as spec
    from dag d join dag_version v on v.id = d.dag_version_id
    where not d.is_stale and (${dagId ?? null}::text is null or d.dag_id = ${dagId ?? null})
      and v.spec -> 'schedule' @? '$.** ? (@.kind == "sessions" || @.kind == "rollup")'
    order by d.dag_id`;
}

/** DAGs that run after another DAG, which is not there, or whose file is gone. */
export function listAfterMissing(
  sql: Sql,
  dagId?: string,
): Promise<{ dagId: string; spec: Omit<DagSpec, "tasks"> }[]> {
  return sql<{ dagId: string; spec: Omit<DagSpec, "tasks"> }[]>`
    select d.dag_id, v.spec - 'tasks' as spec
    from dag d join dag_version v on v.id = d.dag_version_id
    where not d.is_stale and (${dagId ?? null}::text is null or d.dag_id = ${dagId ?? null})
      and v.spec #>> '{schedule,watch,kind}' = 'run'
      and not exists (select from dag o
        where o.dag_id = v.spec #>> '{schedule,watch,dagId}' and not o.is_stale)
    order by d.dag_id`;
}
