/** @module Routes of warnings on DAGs: what will go wrong with them unless someone does something. */
import { z } from "zod";
import { listByCalendar } from "../../store/dag_query.ts";
import { scheduleWarnings } from "../../timetable/mod.ts";
import type { Rest } from "../rest.ts";
import type { RouteBook } from "../route.ts";
import { Name, paging } from "../shapes/basic.ts";
import { DagWarningCollection, dagWarningTypes } from "../shapes/dag.ts";

/** Fields that the list may be ordered by. */
const orders = ["dag_id", "warning_type", "message"] as const;

/** Add them. */
export function addDagWarningRoutes(book: RouteBook, { sql, clock }: Rest): void {
  book.add({
    method: "get",
    path: "/api/v2/dagWarnings",
    permission: "dags.read",
    tag: "DAGs",
    summary: "List warnings on DAGs, such as that a schedule's calendar ends soon",
    query: z.object({
      dag_id: Name.optional(),
      warning_type: z.enum(dagWarningTypes).optional(),
      ...paging(orders, "dag_id"),
    }),
    returns: DagWarningCollection,
  }, async ({ query }) => {
    const now = clock.now();
    const found = (await listByCalendar(sql, query.dag_id)).flatMap(({ dagId, spec }) =>
      scheduleWarnings({ ...spec, dagId }, now).map((message) => ({
        dag_id: dagId,
        dag_display_name: dagId,
        warning_type: "calendar ends" as const,
        message,
        timestamp: now.toISOString(),
      }))
    );
    found.sort((a, b) => {
      for (const order of query.order_by) {
        const key = order.replace("-", "") as typeof orders[number];
        if (a[key] !== b[key]) return (a[key] < b[key] ? -1 : 1) * (order === key ? 1 : -1);
      }
      return 0;
    });
    return {
      dag_warnings: found.slice(query.offset, query.offset + query.limit),
      total_entries: found.length,
    };
  });
}
