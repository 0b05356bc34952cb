/** @module DAGs as the parser found them: tables dag, dag_version, dag_bundle, parsed_file, import_error. */
import type { Ids } from "../base/ids.ts";
import type { Sql, TransactionSql } from "./database.ts";
import type {
  BundleRecord,
  DagChange,
  FileRecord,
  KnownFile,
  ParsedDag,
  ParserStore,
} from "./port_parser.ts";

/** The parser's store on PostgreSQL. With `pausedAtCreation` a new DAG waits to be unpaused. */
export function parserStore(
  sql: Sql,
  ids: Ids,
  { pausedAtCreation = false }: { pausedAtCreation?: boolean } = {},
): ParserStore {
  const how = { ids, pausedAtCreation };
  return {
    loadKnown: () => loadKnown(sql),
    record: (files, now) =>
      sql.begin((tx) => record(tx, { ...how, files, now })) as Promise<
        DagChange[]
      >,
    removeFiles: (files, now) =>
      sql.begin((tx) => removeFiles(tx, files, now)) as Promise<
        string[]
      >,
  };
}

async function loadKnown(sql: Sql): Promise<KnownFile[]> {
  const known = await sql<KnownFile[]>`
    select f.file, f.fingerprint, f.sources, f.kind,
      array(select d.dag_id from dag d where d.fileloc = f.file and not d.is_stale
        order by d.dag_id) as dag_ids,
      (select coalesce(jsonb_agg(jsonb_build_object('dagId', d.dag_id,
          'publishes', v.spec -> 'datasets' || to_jsonb('run:' || d.dag_id), 'awaits', v.spec #> '{schedule,datasets}')), '[]')
        from dag d join dag_version v on v.id = d.dag_version_id
        where d.fileloc = f.file and not d.is_stale
          and v.spec #> '{schedule,datasets}' is not null) as flows
    from parsed_file f order by f.file`;
  return [...known];
}

interface How {
  ids: Ids;
  pausedAtCreation: boolean;
  now: Date;
}

async function record(
  tx: TransactionSql,
  { files, ...how }: How & { files: FileRecord[] },
): Promise<DagChange[]> {
  const found = files.flatMap(({ file, outcome }) =>
    outcome.kind === "dags"
      ? outcome.dags.map((dag) => ({ file, dag, bundle: outcome.bundle, source: outcome.source }))
      : []
  );
  await writeFiles(tx, files, how.now);
  await writeBundles(tx, found.map(({ bundle }) => bundle), how.now);
  const changes = await writeDags(tx, found, how);
  const good = files.filter(({ outcome }) => outcome.kind !== "error").map(({ file }) => file);
  await markStale(tx, good, found.map(({ dag }) => dag.dagId));
  return changes;
}

async function removeFiles(tx: TransactionSql, files: string[], now: Date): Promise<string[]> {
  await tx`delete from parsed_file where file = any(${files})`;
  await tx`delete from import_error where file = any(${files})`;
  const gone = await markStale(tx, files, []);
  await tx`update dag set last_parsed_at = ${now} where dag_id = any(${gone})`;
  return gone;
}

async function writeFiles(tx: TransactionSql, files: FileRecord[], now: Date): Promise<void> {
  const parsed = files.map(({ file, fingerprint, sources, outcome }) => ({
    file,
    fingerprint,
    sources,
    kind: outcome.kind,
  }));
  await tx`
    insert into parsed_file (file, fingerprint, sources, kind, parsed_at)
    select file, fingerprint, sources, kind, ${now}
    from jsonb_to_recordset(${jsonRows(parsed)}::text::jsonb)
      as f(file text, fingerprint text, sources jsonb, kind text)
    on conflict (file) do update set fingerprint = excluded.fingerprint,
      sources = excluded.sources, kind = excluded.kind, parsed_at = excluded.parsed_at`;
  const errors = files.flatMap(({ file, outcome }) =>
    outcome.kind === "error" ? [{ file, ...outcome.error }] : []
  );
  await tx`
    delete from import_error
    where file = any(${files.map(({ file }) => file)})
      and file <> all(${errors.map(({ file }) => file)})`;
  await tx`
    insert into import_error (file, message, path, line, column_number, frame, created_at)
    select file, message, path, line, "column", frame, ${now}
    from jsonb_to_recordset(${jsonRows(errors)}::text::jsonb)
      as e(file text, message text, path text, line int, "column" int, frame text)
    on conflict (file) do update set message = excluded.message, path = excluded.path,
      line = excluded.line, column_number = excluded.column_number, frame = excluded.frame,
      created_at = excluded.created_at`;
}

async function writeBundles(tx: TransactionSql, bundles: BundleRecord[], now: Date) {
  await tx`
    insert into dag_bundle (hash, files, packed_bytes, created_at)
    select hash, files, "packedBytes", ${now}
    from jsonb_to_recordset(${jsonRows(bundles)}::text::jsonb)
      as b(hash text, files jsonb, "packedBytes" bigint)
    on conflict (hash) do nothing`;
}

interface Found {
  file: string;
  dag: ParsedDag;
  bundle: BundleRecord;
  source: string;
}

async function writeDags(
  tx: TransactionSql,
  found: Found[],
  { ids, pausedAtCreation, now }: How,
): Promise<DagChange[]> {
  if (found.length === 0) return [];
  const current = await readCurrent(tx, found.map(({ dag }) => dag.dagId));
  const changes = found.map(({ dag }) => changeOf(dag, current.get(dag.dagId), ids));
  const byId = new Map(changes.map((change) => [change.dagId, change]));
  const written = found.map(({ file, dag, bundle, source }) => ({
    ...byId.get(dag.dagId)!,
    file,
    source,
    spec: dag.spec,
    meaningHash: dag.meaningHash,
    bundleHash: bundle.hash,
  }));
  await tx`
    insert into dag
      (dag_id, is_paused, paused_by_all, fileloc, dag_version_id, created_at, last_parsed_at)
    select "dagId", ${pausedAtCreation} or a.is_paused, not ${pausedAtCreation} and a.is_paused,
      file, "dagVersionId", ${now}, ${now}
    from (select exists (
        select from leader_lease where paused_all_at is not null) as is_paused) a, jsonb_to_recordset(${
    jsonRows(written.map(({ dagId, file, dagVersionId }) => ({ dagId, file, dagVersionId })))
  }::text::jsonb)
      as d("dagId" text, file text, "dagVersionId" uuid)
    on conflict (dag_id) do update set fileloc = excluded.fileloc, is_stale = false,
      dag_version_id = excluded.dag_version_id, last_parsed_at = excluded.last_parsed_at`;
  await tx`
    insert into dag_version (id, dag_id, version_number, meaning_hash, bundle_hash, entry, spec,
      source, created_at)
    select "dagVersionId", "dagId", "versionNumber", "meaningHash", "bundleHash", file, spec,
      source, ${now}
    from jsonb_to_recordset(${jsonRows(written.filter((dag) => dag.change !== "unchanged"))}
      ::text::jsonb)
      as v("dagVersionId" uuid, "dagId" text, "versionNumber" int, "meaningHash" text,
        "bundleHash" text, file text, spec jsonb, source text)`;
  await writeDatasets(tx, found.map(({ dag }) => dag.spec), now);
  return changes;
}

/** What DAGs publish or await is known by name before anything is published. */
async function writeDatasets(tx: TransactionSql, specs: ParsedDag["spec"][], now: Date) {
  const names = specs.flatMap(({ datasets, schedule }) =>
    schedule.kind === "datasets" ? [...datasets, ...schedule.datasets] : datasets
  );
  if (names.length === 0) return;
  await tx`
    insert into dataset (name, kind, created_at)
    select name, 'external', ${now}
    from unnest(${[...new Set(names)].sort()}::text[]) as n(name)
    on conflict (name) do nothing`;
}

interface Current {
  dagId: string;
  id: string;
  meaningHash: string;
  versionNumber: number;
  lastNumber: number;
}

async function readCurrent(tx: TransactionSql, dagIds: string[]): Promise<Map<string, Current>> {
  const found = await tx<Current[]>`
    select d.dag_id, v.id, v.meaning_hash, v.version_number,
      (select max(version_number) from dag_version o where o.dag_id = d.dag_id) as last_number
    from dag d join dag_version v on v.id = d.dag_version_id
    where d.dag_id = any(${dagIds}) for update of d`;
  return new Map(found.map((row) => [row.dagId, row]));
}

function changeOf(dag: ParsedDag, current: Current | undefined, ids: Ids): DagChange {
  const { dagId, meaningHash } = dag;
  if (current?.meaningHash === meaningHash) {
    const { id: dagVersionId, versionNumber } = current;
    return { dagId, change: "unchanged", dagVersionId, versionNumber };
  }
  return {
    dagId,
    change: current ? "updated" : "created",
    dagVersionId: ids.uuid(),
    versionNumber: (current?.lastNumber ?? 0) + 1,
  };
}

/** DAGs of these files become stale, but for those named. */
async function markStale(tx: TransactionSql, files: string[], but: string[]): Promise<string[]> {
  const gone = await tx<{ dagId: string }[]>`
    update dag set is_stale = true
    where fileloc = any(${files}) and dag_id <> all(${but}) and not is_stale
    returning dag_id`;
  return gone.map(({ dagId }) => dagId).toSorted();
}

/** Rows as one parameter; what text columns cannot hold (NUL, halves of characters) is replaced. */
function jsonRows(list: readonly unknown[]): string {
  return JSON.stringify(
    list,
    (_key, value) =>
      typeof value === "string" ? value.toWellFormed().replaceAll("\0", "\ufffd") : value,
  );
}
