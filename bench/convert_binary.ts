/**
 * @module How fast `convert` reads workbooks and ORC, beside python-calamine and pyarrow on the same
 * files in the same run. A Python that has both is named by `TIDEWHEEL_BENCH_PYTHON`; without it,
 * only ours are measured.
 *
 * Theirs: the rows as Python objects (calamine), the file into Parquet (pyarrow). Ours: the file into
 * the table that `convert` makes, types inferred and rows accounted for. Medians of interleaved rounds.
 */
import { systemClock } from "../src/base/clock.ts";
import { startEngine } from "../src/engine/client.ts";
import { convertFiles } from "../operators/convert/convert_files.ts";
import { ConvertParams } from "../operators/convert/params.ts";
import { xlsxOf } from "../tests/support/workbook_file.ts";
import type { Figure } from "./pipeline.ts";

const ROWS = 100_000;
const ROUNDS = 5;

const calamine = `import sys, time
from python_calamine import CalamineWorkbook
at = time.perf_counter()
CalamineWorkbook.from_path(sys.argv[1]).get_sheet_by_index(0).to_python()
print(time.perf_counter() - at)`;

const arrow = `import sys, time
import pyarrow.orc as orc, pyarrow.parquet as parquet
at = time.perf_counter()
parquet.write_table(orc.ORCFile(sys.argv[1]).read(), sys.argv[1] + ".parquet")
print(time.perf_counter() - at)`;

const makeOrc = `import sys
import pyarrow as pa, pyarrow.orc as orc
n = 10 * ${ROWS}
orc.write_table(pa.table({
  "symbol": [f"S{i % 500}" for i in range(n)],
  "day": pa.array([11000 + i % 9000 for i in range(n)], pa.int32()).cast(pa.date32()),
  "close": [20 + i * 7919 % 100000 / 100 for i in range(n)],
  "volume": pa.array([i * 104729 % 100000000 for i in range(n)], pa.int64()),
  "at": pa.array([1700000000000000000 + i * 7 for i in range(n)], pa.timestamp("ns")),
}), sys.argv[1], compression="zstd")`;

/** The bench as `deno task bench` prints it. */
export async function convertBinaryBench(): Promise<Figure[]> {
  const python = Deno.env.get("TIDEWHEEL_BENCH_PYTHON");
  const root = await Deno.makeTempDir();
  const workDir = `${root}/work`;
  await Deno.mkdir(workDir);
  const engine = await startEngine({ workDir, allowedDirectories: [root], memoryBytes: 1024 ** 3 });
  try {
    const workbook = `${root}/bars.xlsx`;
    await Deno.writeFile(workbook, await barsWorkbook());
    const ours = (path: string) => () => convertTimed(path, { engine, workDir });
    const figures = await sideBySide("xlsx", workbook, {
      ours: ours(workbook),
      python,
      program: calamine,
    });
    if (python === undefined) return figures;
    const orc = `${root}/bars.orc`;
    await runPython(python, makeOrc, orc);
    return [
      ...figures,
      ...await sideBySide("ORC", orc, { ours: ours(orc), python, program: arrow }),
    ];
  } finally {
    await engine.close();
    await Deno.remove(root, { recursive: true });
  }
}

async function sideBySide(
  what: string,
  path: string,
  { ours, python, program }: { ours(): Promise<number>; python?: string; program: string },
): Promise<Figure[]> {
  const megabytes = (await Deno.stat(path)).size / 1e6;
  const times = { ours: [] as number[], theirs: [] as number[] };
  for (let round = 0; round < ROUNDS; round++) {
    times.ours.push(await ours());
    if (python) times.theirs.push(Number(await runPython(python, program, path)));
  }
  const speed = (seconds: number[]) => megabytes / median(seconds);
  const own = { what: `${what} of ${megabytes.toFixed(1)} MB to a table`, unit: "MB/s" };
  if (!python) return [{ ...own, value: speed(times.ours) }];
  const peer = what === "ORC" ? "pyarrow, the same to Parquet" : "python-calamine, its rows";
  return [
    { ...own, value: speed(times.ours) },
    { what: peer, value: speed(times.theirs), unit: "MB/s" },
    {
      what: "ratio of the two",
      value: median(times.theirs) / median(times.ours),
      unit: "",
      goal: what === "xlsx" ? ">= 1" : undefined,
    },
  ];
}

async function convertTimed(
  path: string,
  { engine, workDir }: { engine: Parameters<typeof convertFiles>[2]["engine"]; workDir: string },
): Promise<number> {
  const name = path.replace(/^.*\//, "");
  const before = systemClock.monotonicMs();
  const raw = { path, name, key: name, source: "bench", labels: {} };
  const converted = await convertFiles([raw], ConvertParams.parse({}), {
    engine,
    workDir,
    signal: new AbortController().signal,
  });
  const seconds = (systemClock.monotonicMs() - before) / 1000;
  await converted.quarantine.close();
  for (const { path } of converted.files) await Deno.remove(path);
  return seconds;
}

async function runPython(python: string, program: string, path: string): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command(python, {
    args: ["-c", program, path],
  }).output();
  if (!success) throw new Error(new TextDecoder().decode(stderr));
  return new TextDecoder().decode(stdout).trim();
}

export function barsWorkbook(): Promise<Uint8Array> {
  const texts = [
    ...["symbol", "day", "open", "high", "low", "close", "volume", "venue"],
    ...Array.from({ length: 500 }, (_, i) => `S${i}`),
    ...Array.from({ length: 30 }, (_, i) => `venue ${i}`),
  ];
  const cell = (column: string, row: number, value: number | string, more = "") =>
    `<c r="${column}${row}"${more}><v>${value}</v></c>`;
  const shared = (column: string, row: number, index: number) => cell(column, row, index, ' t="s"');
  const rows = [`<row r="1">${[..."ABCDEFGH"].map((c, i) => shared(c, 1, i)).join("")}</row>`];
  for (let i = 0; i < ROWS; i++) {
    const row = i + 2;
    const price = 20 + (i * 7919 % 100_000) / 100;
    rows.push(
      `<row r="${row}">${shared("A", row, 8 + i % 500)}${
        cell("B", row, 36_528 + i % 9000, ' s="1"')
      }` +
        cell("C", row, price) + cell("D", row, price + 1.1) + cell("E", row, price - 1) +
        cell("F", row, price + 0.5) + cell("G", row, i * 104_729 % 100_000_000) +
        `${shared("H", row, 508 + i % 30)}</row>`,
    );
  }
  return xlsxOf({
    formats: ["yyyy-mm-dd"],
    strings: texts.map((text) => `<si><t>${text}</t></si>`).join(""),
    sheets: [{ name: "bars", rows: rows.join("") }],
  });
}

function median(values: number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];
}
