/**
 * @module How fast `convert` reads NDJSON and JSON beside the engine's own COPY of the same file,
 * in the same run: schema, quarantine and accounting on, against nothing of the kind.
 *
 * Medians of interleaved rounds. A document is laid out with a record a line, which the engine reads
 * at its best.
 */
import { convertFiles } from "../operators/convert/convert_files.ts";
import type { FormatName } from "../operators/convert/formats/names.ts";
import { ConvertParams } from "../operators/convert/params.ts";
import { systemClock } from "../src/base/clock.ts";
import { startEngine } from "../src/engine/client.ts";
import type { Figure } from "./pipeline.ts";

const schema = {
  name: "bars",
  key: ["symbol", "date"],
  columns: [
    { name: "symbol", type: "VARCHAR", nullable: false },
    { name: "date", type: "DATE", nullable: false },
    { name: "open", type: "DECIMAL(18,4)", nullable: true },
    { name: "high", type: "DECIMAL(18,4)", nullable: true },
    { name: "low", type: "DECIMAL(18,4)", nullable: true },
    { name: "close", type: "DECIMAL(18,4)", nullable: true },
    { name: "volume", type: "BIGINT", nullable: true },
    { name: "traded_at", type: "TIMESTAMP_NS", nullable: true },
    { name: "venue", type: "VARCHAR", nullable: true },
  ],
};

/** The bench as `deno task bench json` prints it. */
export async function jsonBench({ megabytes = 300, rounds = 5 } = {}): Promise<Figure[]> {
  const root = await Deno.makeTempDir();
  const [workDir, inputs] = [`${root}/work`, `${root}/inputs`];
  for (const dir of [workDir, inputs]) await Deno.mkdir(dir);
  const engine = await startEngine({
    workDir,
    allowedDirectories: [inputs],
    memoryBytes: 1024 ** 3,
  });
  const { DuckDBInstance } = await import("@duckdb/node-api");
  const bare = await (await DuckDBInstance.create(":memory:", { memory_limit: "1GB" })).connect();
  const convert = async (path: string, format: FormatName) => {
    const raw = { path, name: "bars", key: "bars", source: "bench", labels: {} };
    const { files, quarantine } = await convertFiles(
      [raw],
      ConvertParams.parse({ schema, format }),
      { engine, workDir, signal: new AbortController().signal },
    );
    await quarantine.close();
    for (const { path } of files) await Deno.remove(path);
  };
  const copy = async (path: string) => {
    const to = `${workDir}/bare.parquet`;
    await bare.run(`COPY (FROM read_json('${path}')) TO '${to}' (FORMAT parquet)`);
    await Deno.remove(to);
  };
  const secondsOf = async (work: () => Promise<unknown>) => {
    const before = systemClock.monotonicMs();
    await work();
    return (systemClock.monotonicMs() - before) / 1000;
  };
  try {
    const figures: Figure[] = [];
    for (const format of ["ndjson", "json"] as const) {
      const path = `${inputs}/bars.${format}`;
      await writeBars(path, megabytes, format === "json");
      const seconds = { own: [] as number[], bare: [] as number[] };
      for (let round = 0; round < rounds; round++) {
        seconds.bare.push(await secondsOf(() => copy(path)));
        seconds.own.push(await secondsOf(() => convert(path, format)));
      }
      const speed = (times: number[]) => megabytes / median(times);
      const [own, engines] = [speed(seconds.own), speed(seconds.bare)];
      figures.push(
        { what: `${format} to Parquet, schema and accounting on`, value: own, unit: "MB/s" },
        { what: `bare COPY of the same ${format} by the engine`, value: engines, unit: "MB/s" },
        { what: `ratio of the two, ${format}`, value: own / engines, unit: "", goal: ">= 0.9" },
      );
    }
    return figures;
  } finally {
    bare.closeSync();
    await engine.close();
    await Deno.remove(root, { recursive: true });
  }
}

async function writeBars(path: string, megabytes: number, isDocument: boolean): Promise<void> {
  using file = await Deno.open(path, { write: true, create: true });
  const encoder = new TextEncoder();
  let bytes = 0;
  let text = isDocument ? "[\n" : "";
  for (let row = 0; bytes < megabytes * 1e6;) {
    while (text.length < 1 << 20) {
      text += `${row > 0 && isDocument ? ",\n" : ""}${barOf(row++)}${isDocument ? "" : "\n"}`;
    }
    if (isDocument && bytes + text.length >= megabytes * 1e6) text += "\n]\n";
    const chunk = encoder.encode(text);
    bytes += chunk.length;
    for (let rest = chunk; rest.length > 0;) rest = rest.subarray(await file.write(rest));
    text = "";
  }
}

function barOf(row: number): string {
  const price = 20 + (row * 7919 % 100_000) / 100;
  const day = new Date(946_684_800_000 + (row % 9000) * 86_400_000).toISOString().slice(0, 10);
  const traded = `${day}T12:34:56.${String(row * 7 % 1e9).padStart(9, "0")}`;
  return `{"symbol":"S${row % 500}","date":"${day}","open":${price.toFixed(4)},` +
    `"high":${(price + 1.1).toFixed(4)},"low":${(price - 1).toFixed(4)},` +
    `"close":${(price + 0.5).toFixed(4)},"volume":${row * 104_729 % 100_000_000},` +
    `"traded_at":"${traded}","venue":"venue ${row % 30}"}`;
}

function median(values: number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];
}
