/**
 * @module How fast `convert` reads Parquet, Avro and Arrow into its tables, beside what reads them best:
 * the engine's own COPY, and fastavro and pyarrow where TIDEWHEEL_PYTHON names a Python that has both.
 *
 * Schema, accounting and checks on, against nothing of the kind; medians of rounds in the same run.
 */
import { systemClock } from "../src/base/clock.ts";
import { startEngine } from "../src/engine/client.ts";
import { convertFiles } from "../operators/convert/convert_files.ts";
import { ConvertParams } from "../operators/convert/params.ts";
import { writeFile } from "../operators/convert/write_file.ts";
import type { Figure } from "./pipeline.ts";

const columns = [
  { name: "symbol", type: "VARCHAR" },
  { name: "date", type: "DATE" },
  { name: "open", type: "DECIMAL(18,4)" },
  { name: "high", type: "DECIMAL(18,4)" },
  { name: "low", type: "DECIMAL(18,4)" },
  { name: "close", type: "DOUBLE" },
  { name: "volume", type: "BIGINT" },
  { name: "traded_at", type: "TIMESTAMP_NS" },
  { name: "venue", type: "VARCHAR" },
];
const formats = ["parquet", "avro", "arrow"] as const;
const ROUNDS = 3;

/** The bench as `deno task bench columnar` prints it. */
export async function columnarBench({ rows = 1_000_000 } = {}): Promise<Figure[]> {
  const root = await Deno.makeTempDir();
  const [workDir, inputs] = [`${root}/work`, `${root}/inputs`];
  await Deno.mkdir(workDir);
  await Deno.mkdir(inputs);
  const engine = await startEngine({
    workDir,
    allowedDirectories: [inputs],
    memoryBytes: 1024 ** 3,
  });
  const signal = new AbortController().signal;
  try {
    for (const to of formats) {
      const path = `${workDir}/bars.${to}`;
      await writeFile({ engine, signal }, { relation: barsOf(rows), columns, to, path });
      await Deno.rename(path, `${inputs}/bars.${to}`);
    }
    const ours = new Map<string, number>();
    for (const format of formats) {
      const path = `${inputs}/bars.${format}`;
      const raw = { path, name: `bars.${format}`, key: "bars", source: "bench", labels: {} };
      ours.set(
        format,
        await medianSeconds(async () => {
          const converted = await convertFiles([raw], ConvertParams.parse({}), {
            engine,
            workDir,
            signal,
          });
          await converted.quarantine.close();
          for (const { path } of converted.files) await Deno.remove(path);
        }),
      );
    }
    const copy = await copySeconds(`${inputs}/bars.parquet`, `${workDir}/copy.parquet`);
    const peers = await peerSeconds(inputs, `${workDir}/peer.parquet`);
    const speed = (seconds: number) => rows / seconds / 1e6;
    const figure = (what: string, value: number): Figure => ({ what, value, unit: "M rows/s" });
    return [
      figure("Parquet to a table", speed(ours.get("parquet")!)),
      figure("bare COPY of the same file by the same engine", speed(copy)),
      { what: "ratio of the two", value: copy / ours.get("parquet")!, unit: "", goal: ">= 0.9" },
      ...(["avro", "arrow"] as const).flatMap((format): Figure[] => {
        const name = format === "avro" ? "Avro" : "Arrow";
        const own = figure(`${name} to a table`, speed(ours.get(format)!));
        const peer = peers?.[format];
        if (peer === undefined) return [own];
        const ratio = { what: "ratio of the two", value: peer / ours.get(format)!, unit: "" };
        return format === "avro"
          ? [own, figure("fastavro, and pyarrow to Parquet", speed(peer)), {
            ...ratio,
            goal: "> 1",
          }]
          : [own, figure("pyarrow to Parquet", speed(peer)), ratio];
      }),
    ];
  } finally {
    await engine.close();
    await Deno.remove(root, { recursive: true });
  }
}

function barsOf(rows: number): string {
  const price = "(i * 7919 % 100000) / 100.0";
  return `SELECT 'S' || (i % 500) AS symbol, DATE '2000-01-01' + (i % 9000)::INTEGER AS date, ` +
    `(20 + ${price})::DECIMAL(18,4) AS open, (21 + ${price})::DECIMAL(18,4) AS high, ` +
    `(19 + ${price})::DECIMAL(18,4) AS low, (${price})::DOUBLE AS close, ` +
    `CASE WHEN i % 20 > 0 THEN i * 104729 % 100000000 END AS volume, ` +
    `make_timestamp_ns(1700000000000000000 + i * 7) AS traded_at, 'venue ' || (i % 30) AS venue ` +
    `FROM range(${rows}) bars(i)`;
}

async function medianSeconds(work: () => Promise<void>): Promise<number> {
  const times: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const before = systemClock.monotonicMs();
    await work();
    times.push((systemClock.monotonicMs() - before) / 1000);
  }
  return times.toSorted((a, b) => a - b)[Math.floor(ROUNDS / 2)];
}

async function copySeconds(from: string, to: string): Promise<number> {
  const { DuckDBInstance } = await import("@duckdb/node-api");
  const bare = await (await DuckDBInstance.create(":memory:", { memory_limit: "1GB" })).connect();
  try {
    return await medianSeconds(async () => {
      await bare.run(`COPY (FROM '${from}') TO '${to}' (FORMAT parquet)`);
      await Deno.remove(to);
    });
  } finally {
    bare.closeSync();
  }
}

const program = `
import json, sys, time
import fastavro, pyarrow as pa, pyarrow.parquet as pq
inputs, out = sys.argv[1:]
arrow = pa.ipc.open_file(inputs + "/bars.arrow")
def timed(work):
    before = time.perf_counter()
    work()
    return time.perf_counter() - before
def from_arrow():
    pq.write_table(pa.ipc.open_file(inputs + "/bars.arrow").read_all(), out)
def from_avro():
    rows = []
    with pq.ParquetWriter(out, arrow.schema) as writer, open(inputs + "/bars.avro", "rb") as file:
        for record in fastavro.reader(file):
            rows.append(record)
            if len(rows) == 100_000:
                writer.write_table(pa.Table.from_pylist(rows, schema=arrow.schema))
                rows = []
        writer.write_table(pa.Table.from_pylist(rows, schema=arrow.schema))
print(json.dumps({
    "arrow": sorted(timed(from_arrow) for _ in range(3))[1],
    "avro": timed(from_avro),
}))
`;

async function peerSeconds(
  inputs: string,
  out: string,
): Promise<{ avro: number; arrow: number } | null> {
  const python = Deno.env.get("TIDEWHEEL_PYTHON");
  if (!python) return null;
  const { stdout, success } = await new Deno.Command(python, {
    args: ["-c", program, inputs, out],
    stderr: "inherit",
  }).output();
  if (!success) throw new Error(`${python} has no fastavro and pyarrow`);
  return JSON.parse(new TextDecoder().decode(stdout));
}
