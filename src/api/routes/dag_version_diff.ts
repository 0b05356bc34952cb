/** @module The route that says what two versions of a DAG differ in. */
import { z } from "zod";
import { bundleKey, unpackBundle } from "../../contract/bundle.ts";
import { AppError, hasCode } from "../../model/errors.ts";
import { type DagVersionRow, findDagVersion, findVersionBefore } from "../../store/dag_query.ts";
import { diffDags, type FieldChange } from "../dag_diff.ts";
import { diffFiles } from "../file_diff.ts";
import { requireDag, type Rest } from "../rest.ts";
import type { RouteBook } from "../route.ts";
import { Name, queryInt } from "../shapes/basic.ts";
import { DagVersionDiff } from "../shapes/dag_version_diff.ts";

/** Changed tasks whose fields one answer shows. */
const TASKS_MAX = 500;
/** Characters of one value as JSON. */
const VALUE_CHARACTERS_MAX = 4_096;

/** Add it. */
export function addVersionDiff(book: RouteBook, rest: Rest): void {
  book.add({
    method: "get",
    path: "/api/v2/dags/{dag_id}/dagVersions/{version_number}/diff",
    permission: "dags.read",
    tag: "DAGs",
    summary: "Say what a version of a DAG changed, against the one before or another",
    params: z.object({ dag_id: Name, version_number: queryInt() }),
    query: z.object({ with: queryInt().optional() }),
    returns: DagVersionDiff,
  }, async ({ params, query }) => {
    const dagId = params.dag_id;
    await requireDag(rest, dagId);
    const after = await requireVersion(rest, dagId, params.version_number);
    const before = query.with === undefined
      ? await requireBefore(rest, after)
      : await requireVersion(rest, dagId, query.with);
    const [old, now] = await Promise.all([before, after].map(({ id }) => rest.versions.get(id)));
    const diff = diffDags(old.spec, now.spec);
    return {
      dag_id: dagId,
      version_number: after.versionNumber,
      with: before.versionNumber,
      fields: diff.fields.map(fieldView),
      tasks_added: diff.tasksAdded,
      tasks_removed: diff.tasksRemoved,
      tasks_changed: diff.tasksChanged.slice(0, TASKS_MAX).map(({ taskId, fields }) => ({
        task_id: taskId,
        fields: fields.map(fieldView),
      })),
      tasks_changed_total: diff.tasksChanged.length,
      files: await filesOf(rest, before, after),
    };
  });
}

async function requireVersion({ sql }: Rest, dagId: string, number: number) {
  const found = await findDagVersion(sql, dagId, number);
  if (found) return found;
  throw new AppError("NOT_FOUND", `Cannot find version ${number} of DAG "${dagId}"`);
}

async function requireBefore({ sql }: Rest, { dagId, versionNumber }: DagVersionRow) {
  const found = await findVersionBefore(sql, dagId, versionNumber);
  if (found) return found;
  throw new AppError(
    "NOT_FOUND",
    `Cannot compare version ${versionNumber} of DAG "${dagId}" with the one before: it is the ` +
      "oldest one; name another with ?with=",
  );
}

async function filesOf({ objects }: Rest, before: DagVersionRow, after: DagVersionRow) {
  if (before.bundleHash === after.bundleHash) return [];
  try {
    const [old, now] = await Promise.all(
      [before, after].map(async ({ bundleHash }) =>
        unpackBundle(bundleHash, await objects.get(bundleKey(bundleHash)))
      ),
    );
    return diffFiles(old, now).map(({ noDiff, ...file }) => ({ ...file, no_diff: noDiff }));
  } catch (error) {
    // What the versions say of the DAG is worth having without the files.
    if (hasCode(error, "NOT_FOUND")) return null;
    throw error;
  }
}

function fieldView(change: FieldChange) {
  return { field: change.field, old: bounded(change.old), new: bounded(change.new) };
}

function bounded(value: unknown): unknown {
  const json = JSON.stringify(value);
  return json.length <= VALUE_CHARACTERS_MAX ? value : `${json.slice(0, VALUE_CHARACTERS_MAX)}…`;
}
