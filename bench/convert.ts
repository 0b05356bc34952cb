/**
 * @module How fast `convert` is beside the engine's own COPY of the same file, in the same run:
 * schema, quarantine and accounting on, against nothing of the kind.
 *
 * Medians of interleaved rounds.
 */
import { systemClock } from "../src/base/clock.ts";
import { startEngine } from "../src/engine/client.ts";
import type { TableSchema } from "../src/model/data.ts";
import { convertFiles } from "../operators/convert/convert_files.ts";
import { ConvertParams } from "../operators/convert/params.ts";
import type { Figure } from "./pipeline.ts";
import { xmlFigures } from "./xml.ts";

const schema: TableSchema = {
  name: "bars",
  key: ["symbol", "date"],
  columns: [
    { name: "symbol", type: "VARCHAR", nullable: false },
    { name: "date", type: "DATE", nullable: false },
    { name: "open", type: "DECIMAL(18,4)", nullable: true },
    { name: "high", type: "DECIMAL(18,4)", nullable: true },
    { name: "low", type: "DECIMAL(18,4)", nullable: true },
    { name: "close", type: "DECIMAL(18,4)", nullable: false },
    { name: "volume", type: "BIGINT", nullable: true },
    { name: "traded_at", type: "TIMESTAMP_NS", nullable: true },
    { name: "venue", type: "VARCHAR", nullable: true },
  ],
};

/** What was measured; speeds in MB of CSV a second. */
export interface ConvertFigures {
  bytes: number;
  rows: number;
  convertMbS: number;
  copyMbS: number;
  ratio: number;
  /** With a hundred bad rows in the file: they are taken out one by one. */
  withBadRowsMbS: number;
}

/** Measure with a file of about `megabytes`. */
export async function benchConvert(
  { megabytes = 300, rounds = 5 }: { megabytes?: number; rounds?: number } = {},
): Promise<ConvertFigures> {
  const root = await Deno.makeTempDir();
  const workDir = `${root}/work`;
  const inputs = `${root}/inputs`;
  await Deno.mkdir(workDir);
  await Deno.mkdir(inputs);
  const engine = await startEngine({
    workDir,
    allowedDirectories: [inputs],
    memoryBytes: 1024 ** 3,
  });
  try {
    const good = await writeBars(`${inputs}/good.csv`, megabytes, 0);
    const bad = await writeBars(`${inputs}/bad.csv`, megabytes, 100);
    const times = { convert: [] as number[], copy: [] as number[], bad: [] as number[] };
    const timed = async (into: number[], work: () => Promise<unknown>) => {
      const before = systemClock.monotonicMs();
      await work();
      into.push(systemClock.monotonicMs() - before);
    };
    const convert = (path: string) => convertBars(path, { engine, workDir });
    for (let round = 0; round < rounds; round++) {
      await timed(times.copy, () => bareCopy(good.path, `${workDir}/bare-${round}.parquet`));
      await timed(times.convert, () => convert(good.path));
      await timed(times.bad, () => convert(bad.path));
    }
    const speed = (ms: number[]) => good.bytes / 1000 / median(ms);
    return {
      bytes: good.bytes,
      rows: good.rows,
      convertMbS: speed(times.convert),
      copyMbS: speed(times.copy),
      ratio: speed(times.convert) / speed(times.copy),
      withBadRowsMbS: speed(times.bad),
    };
  } finally {
    await engine.close();
    await Deno.remove(root, { recursive: true });
  }
}

async function convertBars(
  path: string,
  { engine, workDir }: { engine: Parameters<typeof convertFiles>[2]["engine"]; workDir: string },
): Promise<void> {
  const raw = { path, name: "bars.csv", key: "bars.csv", source: "bench", labels: {} };
  const converted = await convertFiles([raw], ConvertParams.parse({ schema }), {
    engine,
    workDir,
    signal: new AbortController().signal,
  });
  await converted.quarantine.close();
  for (const { path } of converted.files) await Deno.remove(path);
}

/** A process of its own with DuckDB's defaults, its start not counted. */
const bare = { engine: null as null | Awaited<ReturnType<typeof bareEngine>> };

async function bareEngine() {
  const { DuckDBInstance } = await import("@duckdb/node-api");
  return await (await DuckDBInstance.create(":memory:", { memory_limit: "1GB" })).connect();
}

async function bareCopy(path: string, to: string): Promise<void> {
  bare.engine ??= await bareEngine();
  await bare.engine.run(`COPY (FROM '${path}') TO '${to}' (FORMAT parquet)`);
  await Deno.remove(to);
}

async function writeBars(
  path: string,
  megabytes: number,
  badRows: number,
): Promise<{ path: string; bytes: number; rows: number }> {
  using file = await Deno.open(path, { write: true, create: true });
  const encoder = new TextEncoder();
  const columns = schema.columns.map(({ name }) => name).join(",");
  let text = `${columns}\n`;
  let bytes = 0;
  let row = 0;
  while (bytes < megabytes * 1e6) {
    while (text.length < 1 << 20) text += barOf(row++, badRows);
    const chunk = encoder.encode(text);
    bytes += chunk.length;
    for (let rest = chunk; rest.length > 0;) rest = rest.subarray(await file.write(rest));
    text = "";
  }
  return { path, bytes, rows: row };
}

/** A bar; the first `badRows` of every other thousandth are wrong. */
function barOf(row: number, badRows: number): string {
  const price = 20 + (row * 7919 % 100_000) / 100;
  const day = new Date(946_684_800_000 + (row % 9000) * 86_400_000).toISOString().slice(0, 10);
  const isBad = row % 1000 === 7 && row < badRows * 1000;
  const close = isBad ? "n/a" : (price + 0.5).toFixed(4);
  return `S${row % 500},${day},${price.toFixed(4)},${(price + 1.1).toFixed(4)},` +
    `${(price - 1).toFixed(4)},${close},${row * 104_729 % 100_000_000},` +
    `${day}T12:34:56.${String(row * 7 % 1e9).padStart(9, "0")},venue ${row % 30}\n`;
}

function median(values: number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];
}

/** The bench as `deno task bench` prints it. */
export async function convertBench(): Promise<Figure[]> {
  const figures = await benchConvert({ megabytes: 200, rounds: 5 });
  return [
    { what: "CSV to Parquet, schema and accounting on", value: figures.convertMbS, unit: "MB/s" },
    { what: "bare COPY of the same file by the same engine", value: figures.copyMbS, unit: "MB/s" },
    { what: "ratio of the two", value: figures.ratio, unit: "", goal: ">= 0.9" },
    {
      what: "the same with 100 bad rows, each in quarantine",
      value: figures.withBadRowsMbS,
      unit: "MB/s",
    },
    ...await xmlFigures(),
  ];
}
