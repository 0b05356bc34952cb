/** @module Routes of refused rows: look at them, and run again what refused them. */
import { z } from "zod";
import { AppError } from "../../model/errors.ts";
import {
  findQuarantine,
  listQuarantines,
  listRefusedRows,
  type QuarantineRow,
  type RefusedRow,
} from "../../store/quarantine_query.ts";
import { applyClears, planClear } from "../clear.ts";
import { pageOf, requireRun, type Rest, touchedInstances } from "../rest.ts";
import { maskedRow } from "../masked_rows.ts";
import type { RouteBook } from "../route.ts";
import { paging, QueryFlag, Text } from "../shapes/basic.ts";
import {
  QuarantineCollection,
  QuarantineReplay,
  QuarantineRows,
  QuarantineShape,
} from "../shapes/dataset.ts";
import { TaskInstanceCollection } from "../shapes/task_instance.ts";
/** Add them. */
export function addQuarantineRoutes(book: RouteBook, rest: Rest): void {
  const { sql } = rest;
  const Path = z.object({ quarantine_id: z.uuid() });
  const required = async (id: string) => {
    const found = await findQuarantine(sql, id);
    if (found) return found;
    throw new AppError("NOT_FOUND", `Cannot find the quarantine ${id}`);
  };
  const rowsOf = async (
    id: string,
    query: Parameters<typeof pageOf>[0],
    view: (row: RefusedRow) => RefusedRow,
  ) => {
    await required(id);
    const { items, total } = await listRefusedRows(sql, id, pageOf(query));
    return { rows: items.map((row) => refusedRowView(view(row))), total_entries: total };
  };

  book.add({
    method: "get",
    path: "/api/v2/quarantine",
    permission: "quarantine.read",
    tag: "Quarantine",
    summary: "List refused rows by attempt, newest first",
    query: z.object({
      dataset: Text.optional(),
      dag_id: Text.optional(),
      run_id: Text.optional(),
      attempt_id: z.uuid().optional(),
      is_open: QueryFlag.optional().meta({
        doc: "Those of the last attempt of a task; of one that ran again since they are closed",
      }),
      ...paging(["created_at"], "-created_at"),
    }),
    returns: QuarantineCollection,
  }, async ({ query }) => {
    const { items, total } = await listQuarantines(sql, {
      dataset: query.dataset,
      dagId: query.dag_id,
      runId: query.run_id,
      attemptId: query.attempt_id,
      isOpen: query.is_open,
    }, pageOf(query));
    return { quarantines: items.map(quarantineView), total_entries: total };
  });

  book.add({
    method: "get",
    path: "/api/v2/quarantine/{quarantine_id}",
    permission: "quarantine.read",
    tag: "Quarantine",
    summary: "Look at a quarantine",
    params: Path,
    returns: QuarantineShape,
  }, async ({ params }) => quarantineView(await required(params.quarantine_id)));

  book.add({
    method: "get",
    path: "/api/v2/quarantine/{quarantine_id}/rows",
    permission: "quarantine.read",
    tag: "Quarantine",
    summary: "Read refused rows, each with its file, place, rule and reason, its content masked",
    params: Path,
    query: z.object(paging(["ordinal"], "ordinal")),
    returns: QuarantineRows,
  }, ({ params, query }) => rowsOf(params.quarantine_id, query, maskedRow));

  book.add({
    method: "get",
    path: "/api/v2/quarantine/{quarantine_id}/raw_rows",
    permission: "quarantine.raw",
    event: "quarantine.read_raw",
    tag: "Quarantine",
    summary: "Read refused rows as they are; the audit log keeps who did",
    params: Path,
    query: z.object(paging(["ordinal"], "ordinal")),
    returns: QuarantineRows,
  }, ({ params, query }) => rowsOf(params.quarantine_id, query, (row) => row));

  book.add({
    method: "post",
    path: "/api/v2/quarantine/{quarantine_id}/replay",
    permission: "tasks.clear",
    event: "quarantine.replay",
    audited: ["dry_run", "run_on_latest_version"],
    tag: "Quarantine",
    summary:
      "Run what refused these rows again, from the bytes that it was given, and all after it",
    params: Path,
    body: QuarantineReplay,
    returns: TaskInstanceCollection,
  }, async ({ params, body }) => await replay(rest, await required(params.quarantine_id), body));
}

/**
 * The task that refused the rows runs again, by default on the DAG's newest version: its rules and schemas
 * may be other ones now. What it was given is kept, so nothing is fetched, and what it makes replaces the
 * version that had no such rows: each row is in it once.
 */
async function replay(
  rest: Rest,
  { id, dagId, runId, taskId, mapIndex, isOpen }: QuarantineRow,
  body: z.output<typeof QuarantineReplay>,
) {
  if (dagId === null || runId === null || taskId === null) {
    throw new AppError(
      "CONFLICT",
      `Cannot replay the quarantine ${id}: its run is not kept any more`,
    );
  }
  if (!isOpen) {
    throw new AppError(
      "CONFLICT",
      `Cannot replay the quarantine ${id}: task "${taskId}" of run "${runId}" ran again since, or ` +
        "does so now; what it refuses by then is a quarantine of its own",
    );
  }
  const run = await requireRun(rest, dagId, runId);
  const plan = await planClear(rest, run, {
    tasks: [{ taskId, mapIndex: mapIndex === null || mapIndex < 0 ? null : mapIndex }],
    includeUpstream: false,
    includeDownstream: true,
    onlyFailed: false,
    onlyRunning: false,
  }, { onLatest: body.run_on_latest_version });
  if (!body.dry_run) {
    await applyClears(rest, [plan], { force: body.force || body.run_on_latest_version });
  }
  return await touchedInstances(rest, plan.rows.map((row) => row.id));
}

function refusedRowView(row: RefusedRow): z.input<typeof QuarantineRows>["rows"][number] {
  return {
    file: row.file,
    row_number: row.rowNumber,
    byte_offset: row.byteOffset,
    column_name: row.columnName,
    rule: row.rule,
    reason: row.reason,
    raw: row.raw,
  };
}

function quarantineView(row: QuarantineRow): z.input<typeof QuarantineShape> {
  return {
    id: row.id,
    dataset: row.dataset,
    source: row.source,
    dag_id: row.dagId,
    run_id: row.runId,
    task_id: row.taskId,
    map_index: row.mapIndex,
    attempt_id: row.attemptId,
    rows: row.rows,
    reasons: row.reasons,
    file: row.file,
    created_at: row.createdAt.toISOString(),
    is_open: row.isOpen,
  };
}
