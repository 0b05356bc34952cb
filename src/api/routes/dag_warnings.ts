/** @module Routes of warnings on DAGs: what will go wrong with them unless someone does something. */
import { z } from "zod";
import { listAfterMissing, listByCalendar } from "../../store/dag_query.ts";
import { awaitedWarning, scheduleWarnings } from "../../timetable/mod.ts";
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
    summary:
      "List warnings on DAGs: a calendar that ends soon, a DAG to run after that is not there",
    query: z.object({
      dag_id: Name.optional(),
      warning_type: z.enum(dagWarningTypes).optional(),
      ...paging(orders, "dag_id"),
    }),
    returns: DagWarningCollection,
  }, async ({ query }) => {
    const now = clock.now();
    const [calendars, lost] = await Promise.all([
      listByCalendar(sql, query.dag_id),
      listAfterMissing(sql, query.dag_id),
    ]);
    const found = [
      ...calendars.flatMap(({ dagId, spec }) =>
        scheduleWarnings({ ...spec, dagId }, now).map((message) =>
          warning(dagId, "calendar ends", message, now)
        )
      ),
      ...lost.map(({ dagId, spec }) => {
        const message = awaitedWarning({ ...spec, dagId }, () => false)!;
        return warning(dagId, "non-existent dag", message, now);
      }),
    ].filter(({ warning_type: type }) => type === (query.warning_type ?? type));
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

function warning(
  dagId: string,
  warning_type: typeof dagWarningTypes[number],
  message: string,
  now: Date,
) {
  return {
    ...{ dag_id: dagId, dag_display_name: dagId, warning_type, message },
    timestamp: now.toISOString(),
  };
}
