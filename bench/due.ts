/** @module How long a run that is due waits until its task is queued, with a thousand DAGs due at one instant. */
import { systemClock } from "../src/base/clock.ts";
import { openDatabase } from "../src/store/database.ts";
import { databaseUrl } from "./database.ts";
import type { Figure } from "./pipeline.ts";
import { listed, quantile, startService, until } from "./service.ts";

const DAGS = 1_000;
const FILES = 20;
/** Until the instant: for the files to be read. */
const AHEAD_MS = 45_000;

/** Due to queued, and due to ended, over all DAGs. */
export async function dueBench(): Promise<Figure[]> {
  const dueAt = new Date(Math.ceil((systemClock.now().getTime() + AHEAD_MS) / 1000) * 1000);
  const files = Array.from({ length: FILES }, (_, i) => [`due_${i}.ts`, dagFile(i, dueAt)]);
  await using bench = await startService(Object.fromEntries(files));
  await bench.call("POST", "/api/v2/pools", { name: "wide", slots: -1 });
  await listed(bench, DAGS);
  const sql = await openDatabase(await databaseUrl(bench), { max: 1 });
  try {
    await until(async () => {
      const [{ ended }] = await sql`
        select count(*)::int as ended from dag_run where state = 'success'`;
      return ended === DAGS;
    }, AHEAD_MS + 60_000);
    const rows = await sql<{ queued: number; ended: number }[]>`
      select extract(epoch from t.queued_at - r.run_after)::float8 * 1000 as queued,
        extract(epoch from r.end_date - r.run_after)::float8 * 1000 as ended
      from dag_run r join task_instance t on t.dag_run_id = r.id where r.run_after = ${dueAt}`;
    if (rows.length !== DAGS) throw new Error(`${rows.length} runs were due, not ${DAGS}`);
    const queued = rows.map((row) => row.queued);
    const ended = rows.map((row) => row.ended);
    return [
      {
        what: `due to queued, ${DAGS} DAGs at once, p50`,
        value: quantile(queued, 0.5),
        unit: "ms",
      },
      {
        what: `due to queued, ${DAGS} DAGs at once, p99`,
        value: quantile(queued, 0.99),
        unit: "ms",
        goal: "< 500",
      },
      { what: `due to ended, ${DAGS} DAGs at once, p99`, value: quantile(ended, 0.99), unit: "ms" },
    ];
  } finally {
    await sql.end();
  }
}

function dagFile(file: number, dueAt: Date): string {
  const cron = [dueAt.getUTCSeconds(), dueAt.getUTCMinutes(), dueAt.getUTCHours(), "* * *"].join(
    " ",
  );
  const start = new Date(dueAt.getTime() - 86_400_000).toISOString();
  const exported = Array.from(
    { length: DAGS / FILES },
    (_, i) => `export const d${i} = due("due_${file}_${i}");`,
  );
  return `import { dag, task } from "tidewheel";
const due = (id: string) =>
  dag({ id, schedule: "${cron}", start: "${start}" }, () => {
    task({ id: "only", pool: "wide" }, () => null);
  });
${exported.join("\n")}
`;
}
