/** @module What the routes of the REST API share. */
import { AppError } from "../model/errors.ts";
import type { Product } from "../model/product.ts";
import { type DagRow, type DagVersionRow, findDag, findDagVersions } from "../store/dag_query.ts";
import { type DagRunRow, findRun } from "../store/dag_run_query.ts";
import type { BackfillStore } from "../store/backfill_port.ts";
import { listTaskInstancesById, type TaskInstanceRow } from "../store/task_instance_query.ts";
import type { Bounds } from "../store/page.ts";
import type { Versions } from "./execution/versions.ts";
import type { ApiParts } from "./parts.ts";
import type { ConfCheck } from "./runs.ts";
import { taskInstanceView } from "./views/dag_run.ts";

/** The API's parts and what is made of them once. */
export interface Rest extends ApiParts {
  versions: Versions;
  checkConf: ConfCheck;
  backfills: BackfillStore;
  /** Aborts when the API stops: whatever waits or follows ends then. */
  closing: AbortSignal;
  /** Version rows by id; they never change, so they are kept. */
  versionRows(ids: Iterable<string>): Promise<ReadonlyMap<string, DagVersionRow>>;
}

/** Versions kept for lists. */
const VERSIONS_KEPT = 5_000;

/** Version rows out of memory where they are known. */
export function versionRowCache(sql: ApiParts["sql"]): Rest["versionRows"] {
  const kept = new Map<string, DagVersionRow>();
  return async (ids) => {
    const wanted = [...new Set(ids)];
    const missing = wanted.filter((id) => !kept.has(id));
    for (const [id, row] of await findDagVersions(sql, missing)) {
      if (kept.size >= VERSIONS_KEPT) kept.delete(kept.keys().next().value!);
      kept.set(id, row);
    }
    return kept;
  };
}

/** What this process is: what runs that it starts run on. */
export function productOf({ settings }: Pick<ApiParts, "settings">): Product {
  return { version: settings.version, image: settings.image ?? null };
}

/** The DAG, or NOT_FOUND. */
export async function requireDag({ sql }: Rest, dagId: string): Promise<DagRow> {
  const dag = await findDag(sql, dagId);
  if (dag) return dag;
  throw new AppError("NOT_FOUND", `Cannot find the DAG "${dagId}"`, { detail: { dag_id: dagId } });
}

/** The run, or NOT_FOUND that says whether the DAG is there. */
export async function requireRun(rest: Rest, dagId: string, runId: string): Promise<DagRunRow> {
  const run = await findRun(rest.sql, { dagId, runId });
  if (run) return run;
  await requireDag(rest, dagId);
  throw new AppError("NOT_FOUND", `Cannot find the run "${runId}" of DAG "${dagId}"`, {
    detail: { dag_id: dagId, dag_run_id: runId },
  });
}

/** Task instances as answers show them. */
export async function taskInstanceViews(rest: Rest, rows: readonly TaskInstanceRow[]) {
  const ids = new Set(rows.map((row) => row.dagVersionId));
  const [specs, versions] = await Promise.all([rest.versions.load(ids), rest.versionRows(ids)]);
  return rows.map((row) =>
    taskInstanceView(row, specs.get(row.dagVersionId), versions.get(row.dagVersionId))
  );
}

/** Task instances that one answer lists of those that a call touches; it counts all of them. */
const TOUCHED_SHOWN_MAX = 5_000;

/** Those that a call touched, or would, as they are now. */
export async function touchedInstances(rest: Rest, ids: readonly string[]) {
  const rows = await listTaskInstancesById(rest.sql, ids.slice(0, TOUCHED_SHOWN_MAX));
  return { task_instances: await taskInstanceViews(rest, rows), total_entries: ids.length };
}

/** `~` stands for all. */
export function unlessAll(id: string): string[] | null {
  return id === "~" ? null : [id];
}

/** `<name>_gte` … of a query as bounds. */
export function boundsOf(query: object, name: string): Bounds {
  const values = query as Record<string, Date | null | undefined>;
  return {
    gte: values[`${name}_gte`],
    gt: values[`${name}_gt`],
    lte: values[`${name}_lte`],
    lt: values[`${name}_lt`],
  };
}

/** `<name>_pattern` and `<name>_prefix_pattern` of a query. */
export function patternOf(query: object, name: string): { pattern?: string; prefix?: string } {
  const values = query as Record<string, string | undefined>;
  return { pattern: values[`${name}_pattern`], prefix: values[`${name}_prefix_pattern`] };
}

/** A list's page from its query. */
export function pageOf(query: { limit: number; offset: number; order_by?: string[] }) {
  return { limit: query.limit, offset: query.offset, orderBy: query.order_by ?? [] };
}
