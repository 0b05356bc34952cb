/**
 * @module What lies outside of the database and nobody needs: objects of attempts whose rows are gone or
 * that did not succeed, and bundles without a DAG version.
 *
 * Nothing is found by listing storage: the rows say what to look at, so that the work is as large as
 * what there is to remove, and a pass that was cut off goes on where it was.
 */
import { limits } from "../base/limits.ts";
import type { AnySql, Sql } from "./database.ts";

/** An attempt whose row is gone. */
export interface RemovedAttempt {
  id: string;
  /** A version that is kept came from its run: its files may be named in cell lineage. */
  isLineage: boolean;
}

/** How long whoever took removed attempts has for them, before another one takes them. */
const CLAIM_MS = 3_600_000;

/**
 * Take attempts whose rows went at least `limits.leftoverMs` ago, as far as anybody saw it. Each is
 * given out again an hour later unless {@link forgetRemoved} or {@link postponeRemoved} came first.
 */
export async function takeRemoved(
  sql: Sql,
  { now, limit }: { now: Date; limit: number },
): Promise<RemovedAttempt[]> {
  await sql`
    update removed_attempt set due_at = ${later(now, limits.leftoverMs)} where due_at is null`;
  const taken = await sql<RemovedAttempt[]>`
    update removed_attempt r set due_at = ${later(now, CLAIM_MS)}
    where id in (
      select id from removed_attempt where due_at <= ${now}
      order by due_at, id limit ${limit} for update skip locked)
    returning id,
      exists (select from dataset_version v where v.dag_run_id = r.dag_run_id) as is_lineage`;
  return [...taken];
}

/** All of theirs is gone that may go. */
export async function forgetRemoved(sql: AnySql, ids: readonly string[]): Promise<void> {
  await sql`delete from removed_attempt where id = any(${[...ids]}::uuid[])`;
}

/** Something of theirs is needed for now: look again after `limits.leftoverMs`. */
export async function postponeRemoved(
  sql: AnySql,
  ids: readonly string[],
  { now }: { now: Date },
): Promise<void> {
  await sql`
    update removed_attempt set due_at = ${later(now, limits.leftoverMs)}
    where id = any(${[...ids]}::uuid[])`;
}

/** An attempt that ended without success, and where a pass goes on after it. */
export interface Unsuccessful {
  id: string;
  endedAt: string;
}

const MARK = "unsuccessful attempts";
const FIRST_ID = "00000000-0000-0000-0000-000000000000";

/**
 * The next attempts that ended without success before `before`, after the mark. Left out are those
 * that the output or a quarantine of their task instance names.
 */
export async function nextUnsuccessful(
  sql: AnySql,
  { before, limit }: { before: Date; limit: number },
): Promise<(Unsuccessful & { isNamed: boolean })[]> {
  const [mark] = await sql<{ at: string; id: string }[]>`
    select at::text as at, id from retention_mark where name = ${MARK}`;
  const found = await sql<(Unsuccessful & { isNamed: boolean })[]>`
    select a.id, a.end_date::text as ended_at,
      exists (select from quarantine q
        where q.task_instance_id = a.task_instance_id and q.attempt_id = a.id)
      or exists (select from task_output o where o.task_instance_id = a.task_instance_id
        and (position(a.id::text in o.output_key) > 0 or position(a.id::text in o.output::text) > 0))
      as is_named
    from attempt a
    where a.end_reason <> 'success' and a.end_date < ${before}
      and (a.end_date, a.id)
        > (${mark?.at ?? "-infinity"}::text::timestamptz, ${mark?.id ?? FIRST_ID}::uuid)
    order by a.end_date, a.id limit ${limit}`;
  return [...found];
}

/** The pass has come past this attempt. */
export async function markUnsuccessful(sql: AnySql, { id, endedAt }: Unsuccessful): Promise<void> {
  await sql`
    insert into retention_mark (name, at, id) values (${MARK}, ${endedAt}::text::timestamptz, ${id})
    on conflict (name) do update set at = excluded.at, id = excluded.id`;
}

/** Which of these keys a dataset version refers to, as data or as lineage. */
export async function publishedKeys(sql: AnySql, keys: readonly string[]): Promise<Set<string>> {
  const asked = sql`${[...keys]}::text[]`;
  const found = await sql<{ key: string }[]>`
    select key from dataset_version, unnest(file_keys(files)) key
    where file_keys(files) && ${asked} and key = any(${asked})
    union
    select key from dataset_version, unnest(file_keys(lineage_files)) key
    where file_keys(lineage_files) && ${asked} and key = any(${asked})`;
  return new Set(found.map(({ key }) => key));
}

/** Which of these attempts the state of a task names: a file that is known to be current, say. */
export async function attemptsInState(sql: AnySql, ids: readonly string[]): Promise<Set<string>> {
  const found = await sql<{ id: string }[]>`
    select distinct named[1] as id
    from task_state, regexp_matches(value::text, 'attempts/([0-9a-f-]{36})/', 'g') named
    where named[1] = any(${[...ids]}::text[])`;
  return new Set(found.map(({ id }) => id));
}

/** Which of these bundles a DAG version needs. */
export async function neededBundles(sql: AnySql, hashes: readonly string[]): Promise<Set<string>> {
  const found = await sql<{ hash: string }[]>`
    select distinct bundle_hash as hash from dag_version
    where bundle_hash = any(${[...hashes]}::text[])`;
  return new Set(found.map(({ hash }) => hash));
}

/**
 * Remove one bundle that no DAG version needs and that came before `before`: `remove` takes away its
 * object while the row is held, so that whoever records it again waits. False: there is none left.
 */
export async function removeUnusedBundle(
  sql: Sql,
  { before, remove }: { before: Date; remove: (hash: string) => Promise<void> },
): Promise<boolean> {
  return await sql.begin(async (tx) => {
    const [gone] = await tx<{ hash: string }[]>`
      delete from dag_bundle where hash in (
        select b.hash from dag_bundle b
        where b.created_at < ${before}
          and not exists (select from dag_version v where v.bundle_hash = b.hash)
        limit 1 for update skip locked)
      returning hash`;
    if (gone) await remove(gone.hash);
    return gone !== undefined;
  });
}

function later(now: Date, ms: number): Date {
  return new Date(now.getTime() + ms);
}
