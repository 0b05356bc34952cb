/** @module Routes of import errors and the audit log. */
import { z } from "zod";
import { AppError } from "../../model/errors.ts";
import {
  auditOrders,
  findAuditEntry,
  findImportError,
  importErrorOrders,
  type ImportErrorRow,
  listAuditEntries,
  listImportErrors,
} from "../../store/admin_query.ts";
import type { AuditEntry } from "../../store/audit_log.ts";
import { pageOf, patternOf, type Rest } from "../rest.ts";
import type { RouteBook } from "../route.ts";
import {
  EventLogCollection,
  EventLogShape,
  ImportErrorCollection,
  ImportErrorShape,
} from "../shapes/admin.ts";
import { Instant, many, paging, patternsOf, queryInt, Text } from "../shapes/basic.ts";
import { bundleName } from "../views/dag.ts";

/** Add them. */
export function addRecordRoutes(book: RouteBook, { sql }: Rest): void {
  book.add({
    method: "get",
    path: "/api/v2/importErrors",
    permission: "import_errors.read",
    tag: "Import errors",
    summary: "List DAG files with an error; their last good versions keep running",
    query: z.object({
      filename: Text.optional(),
      ...patternsOf("filename"),
      ...paging(importErrorOrders, "id"),
    }),
    returns: ImportErrorCollection,
  }, async ({ query }) => {
    const { items, total } = await listImportErrors(sql, {
      filename: query.filename,
      ...patternOf(query, "filename"),
    }, pageOf(query));
    return { import_errors: items.map(importErrorView), total_entries: total };
  });

  book.add({
    method: "get",
    path: "/api/v2/importErrors/{import_error_id}",
    permission: "import_errors.read",
    tag: "Import errors",
    summary: "Look at an import error",
    params: z.object({ import_error_id: queryInt() }),
    returns: ImportErrorShape,
  }, async ({ params }) => {
    const found = await findImportError(sql, params.import_error_id);
    if (found) return importErrorView(found);
    throw new AppError("NOT_FOUND", `Cannot find the import error ${params.import_error_id}`);
  });

  book.add({
    method: "get",
    path: "/api/v2/eventLogs",
    permission: "audit.read",
    tag: "Audit log",
    summary: "List who did what",
    query: z.object({
      dag_id: Text.optional(),
      task_id: Text.optional(),
      run_id: Text.optional(),
      event: Text.optional(),
      owner: Text.optional(),
      included_events: many(Text).optional(),
      excluded_events: many(Text).optional(),
      before: Instant.optional(),
      after: Instant.optional(),
      ...paging(auditOrders, "id"),
    }),
    returns: EventLogCollection,
  }, async ({ query }) => {
    const { items, total } = await listAuditEntries(sql, {
      dagId: query.dag_id,
      taskId: query.task_id,
      runId: query.run_id,
      event: query.event,
      events: query.included_events,
      excluded: query.excluded_events,
      owner: query.owner,
      at: { lt: query.before, gt: query.after },
    }, pageOf(query));
    return { event_logs: items.map(auditView), total_entries: total };
  });

  book.add({
    method: "get",
    path: "/api/v2/eventLogs/{event_log_id}",
    permission: "audit.read",
    tag: "Audit log",
    summary: "Look at an entry of the audit log",
    params: z.object({ event_log_id: queryInt() }),
    returns: EventLogShape,
  }, async ({ params }) => {
    const found = await findAuditEntry(sql, params.event_log_id);
    if (found) return auditView(found);
    throw new AppError("NOT_FOUND", `Cannot find the audit entry ${params.event_log_id}`);
  });
}

function importErrorView(row: ImportErrorRow): z.input<typeof ImportErrorShape> {
  const place = row.line === null ? row.path : `${row.path}:${row.line}:${row.columnNumber ?? 1}`;
  return {
    import_error_id: row.id,
    timestamp: row.createdAt.toISOString(),
    filename: row.file,
    bundle_name: bundleName,
    stack_trace: [row.message, `  at ${place}`, row.frame].filter((part) => part).join("\n"),
    path: row.path,
    line: row.line,
    column: row.columnNumber,
    message: row.message,
    frame: row.frame,
  };
}

function auditView(entry: AuditEntry): z.input<typeof EventLogShape> {
  return {
    event_log_id: entry.id,
    when: entry.loggedAt.toISOString(),
    dag_id: entry.dagId,
    task_id: entry.taskId,
    run_id: entry.runId,
    map_index: entry.mapIndex,
    try_number: entry.tryNumber,
    event: entry.event,
    logical_date: null,
    owner: entry.actor,
    extra: JSON.stringify(entry.extra),
    dag_display_name: entry.dagId,
    task_display_name: entry.taskId,
  };
}
