// A whole pipeline: lists known at run time, parameters from facts and outputs, merge, publish.
import { branch, chain, dag, every, expand, group, skip, task } from "tidewheel";
import { z } from "zod";
import { Bar, collect, convert, merge, publish, quality } from "../operators.ts";

export default dag({
  id: "pipeline",
  schedule: "0 6 * * 1-5",
  timezone: "Europe/Berlin",
  start: "2026-01-02",
  params: z.object({ vendor: z.string().default("acme") }),
  defaults: { retries: 3, retryDelay: { seconds: 10 }, backoff: "exponential" },
}, ({ task, fromRun }) => {
  const symbols = task(
    { id: "symbols" },
    ({ params }) => [{ name: params.vendor.toUpperCase(), pages: 2 }],
  );
  const raws = symbols.expand((symbol) =>
    collect({
      id: "collect",
      source: fromRun(({ params, interval }) => `${params.vendor}.${interval.date}`),
      pages: symbol.value((s) => s.pages),
      query: symbol.value((s, { interval }) => ({ symbol: s.name, on: interval.date })),
    })
  );
  const tables = raws.expand((from) => convert({ id: "convert", from, schema: Bar }));
  const extra = convert({
    id: "extra",
    from: collect({ id: "collect_extra", source: "extra" }),
    schema: Bar,
  });
  const many = merge({
    id: "many",
    from: tables,
    key: ["symbol", "date"],
    resolve: { lastWriteWins: true },
  });
  const golden = merge({
    id: "golden",
    from: [many, extra],
    key: ["symbol", "date"],
    resolve: { lastWriteWins: true },
  });
  const good = quality({
    id: "check",
    from: golden,
    rules: [
      { rule: "not_null", columns: ["symbol"] },
      { rule: "range", column: "close", min: 0 },
    ],
    completenessColumns: ["close", "volume"],
  });
  const published = publish({
    id: "publish",
    from: good,
    dataset: "prices.daily",
    partition: ({ interval }) => interval.date,
  });
  task(
    { id: "report", inputs: { published, tables } },
    async (ctx, { published, tables }) => {
      ctx.log.info("published", { rows: published.rows, tables: tables.length });
      return await Promise.resolve(
        published.rows > 1 ? { rows: tables[0].rows } : skip("first"),
      );
    },
  );
});

export const undeclared = dag({ id: "undeclared", schedule: null }, () => {
  const rows = convert({ id: "convert", from: collect({ id: "collect", source: "any" }) });
  const good = quality({
    id: "check",
    from: rows,
    rules: [{ rule: "range", column: "price", min: 0 }, { rule: "ohlc" }],
  });
  publish({ id: "publish", from: good, dataset: "any.rows" });
});

export const shapes = dag({ id: "shapes", schedule: every({ hours: 1 }) }, () => {
  interface Part {
    name: string;
    size?: number;
    tags: readonly string[];
  }
  const part = task({ id: "part" }, (): Part => ({ name: "a", tags: ["x"] }));
  const late = task(
    { id: "late", inputs: { part, both: [part, part] }, triggerRule: "all_done" },
    (_ctx, { part, both }) => (part?.name.length ?? 0) + both.length,
  );
  const typed = task(
    { id: "typed", output: z.object({ kind: z.enum(["a", "b"]), n: z.int().default(1) }) },
    () => ({ kind: "a" }),
  );
  const [left, right] = group("sides", () => [
    task({ id: "left", inputs: { typed } }, (_ctx, { typed }) => typed.n + typed.kind.length),
    task({ id: "right" }, () => {}),
  ]);
  branch(
    { id: "pick", to: { left, both: [left, right] }, inputs: { late } },
    (_ctx, { late }) => late > 3 ? "left" : late > 2 ? ["both"] : null,
  );
  chain(part, [left, right], late);
  expand(
    ["a", "b"],
    (letter) => task({ id: "each", inputs: { letter } }, (_ctx, { letter }) => ({ letter })),
  );
});
