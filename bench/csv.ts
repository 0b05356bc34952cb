/**
 * @module How well delimited text is read by those who say nothing about it: the Pollock benchmark's
 * polluted files against their clean tables, and dialects against those that people noted. Both
 * corpora are read from `TIDEWHEEL_CORPORA`; where they are absent there are no figures.
 */
import { startEngine } from "../src/engine/client.ts";
import { convertFile } from "../operators/convert/local.ts";
import { detectDialect } from "../operators/convert/formats/csv/dialect.ts";
import { corpus } from "../tests/support/corpora.ts";
import type { Figure } from "./pipeline.ts";
import { plainRows, pollockScore, type Rows } from "./pollock.ts";

/** The bench as `deno task bench csv` prints it. */
export async function csvBench(): Promise<Figure[]> {
  return [...await pollockFigures(), ...dialectFigures()];
}

/** One file's part in the benchmark. */
interface PollockFile {
  name: string;
  score: number;
  weight: number;
  /** Rows of the clean table that are neither kept nor refused: gone in silence. */
  lost: number;
}

async function pollockFigures(): Promise<Figure[]> {
  const dir = corpus("pollock");
  if (dir === null) return [];
  const root = await Deno.makeTempDir();
  try {
    const unpacked = await new Deno.Command("tar", {
      args: ["--zstd", "-xf", `${dir}/polluted_files.tar.zst`, "-C", root],
    }).output();
    if (!unpacked.success) throw new Error(new TextDecoder().decode(unpacked.stderr));
    const weights = JSON.parse(await Deno.readTextFile(`${dir}/pollock_weights.json`));
    const files = await scoreFiles(`${root}/pollock/polluted_files`, root, weights);
    if (Deno.args.includes("--worst")) printWorst(files);
    const weight = files.reduce((sum, file) => sum + file.weight, 0);
    const mean = (of: (file: PollockFile) => number) =>
      files.reduce((sum, file) => sum + of(file), 0);
    return [
      { what: "Pollock files", value: files.length, unit: "" },
      {
        what: "Pollock score, each file the same",
        value: mean(({ score }) => score) / files.length,
        unit: "of 10",
        goal: ">= 9.95",
      },
      {
        what: "Pollock score, weighted",
        value: mean(({ score, weight }) => score * weight) / weight,
        unit: "of 10",
        goal: ">= 9.6",
      },
      {
        what: "files with rows that are neither kept nor refused",
        value: files.filter(({ lost }) => lost > 0).length,
        unit: "",
        goal: "0",
      },
    ];
  } finally {
    await Deno.remove(root, { recursive: true });
  }
}

async function scoreFiles(
  dir: string,
  root: string,
  weights: Record<string, number>,
): Promise<PollockFile[]> {
  const found: PollockFile[] = [];
  const workDir = `${root}/work`;
  const out = `${root}/out`;
  await Deno.mkdir(workDir);
  await Deno.mkdir(out);
  const names = [...Deno.readDirSync(`${dir}/csv`)].map(({ name }) => name).toSorted();
  // Tables of one file stay in the engine; a new engine now and then keeps it small.
  for (let at = 0; at < names.length; at += 200) {
    const engine = await startEngine({
      workDir,
      allowedDirectories: [dir, out],
      memoryBytes: 1024 ** 3,
    });
    try {
      for (const name of names.slice(at, at + 200)) {
        const clean = plainRows(await Deno.readTextFile(`${dir}/clean/${name}`));
        const { rows, rowsIn } = await loaded(`${dir}/csv/${name}`, { out, engine, workDir });
        found.push({
          name,
          lost: rows === null ? 0 : Math.max(0, clean.length - 1 - rowsIn),
          score: pollockScore(clean, rows),
          weight: weights[name] ?? 0,
        });
        for await (const { name } of Deno.readDir(workDir)) {
          await Deno.remove(`${workDir}/${name}`, { recursive: true });
        }
      }
    } finally {
      await engine.close();
    }
  }
  return found;
}

/** A file through `convert` with nothing told; an error is no table, and loses nothing in silence. */
async function loaded(
  path: string,
  { out, engine, workDir }: {
    out: string;
    engine: Parameters<typeof convertFile>[2]["engine"];
    workDir: string;
  },
): Promise<{ rows: Rows | null; rowsIn: number }> {
  try {
    const report = await convertFile(path, { to: "csv", out }, { engine, workDir });
    const rows = plainRows(await Deno.readTextFile(report.file));
    // Names that are made up for a file without a header are none of its cells.
    const isNamed = !rows[0]?.every((name) => /^column\d+$/.test(name));
    return { rows: isNamed ? rows : rows.slice(1), rowsIn: report.accounting.in };
  } catch (error) {
    if (!(error instanceof Error) || !("code" in error)) throw error;
    // Nothing in, nothing out: an empty file has an empty table.
    return { rows: (await Deno.stat(path)).size === 0 ? [] : null, rowsIn: 0 };
  }
}

function printWorst(files: readonly PollockFile[]): void {
  const kinds = Map.groupBy(files, ({ name }) => name.replace(/\d+/g, "N"));
  const sum = (part: readonly PollockFile[], of: (file: PollockFile) => number) =>
    part.reduce((total, file) => total + of(file), 0);
  const rows = [...kinds].map(([kind, part]) => ({
    kind,
    files: part.length,
    mean: sum(part, ({ score }) => score) / part.length,
    lostScore: sum(part, ({ score }) => 10 - score),
    lostWeighted: sum(part, ({ score, weight }) => (10 - score) * weight),
    lostRows: sum(part, ({ lost }) => lost),
    worst: part.toSorted((a, b) => a.score - b.score)[0].name,
  }));
  console.table(rows.toSorted((a, b) => b.lostScore - a.lostScore));
}

const signs: Record<string, string> = { comma: ",", tab: "\t", space: " " };

function dialectFigures(): Figure[] {
  const dir = corpus("csv_dialect");
  if (dir === null) return [];
  const notes = Deno.readTextFileSync(`${dir}/ground_truth/W3C-CSVW-dialect_annotations.txt`);
  let files = 0;
  let right = 0;
  for (const line of notes.split("\n").slice(2)) {
    const [name, encoding, delimiter] = line.trim().split("|");
    let bytes: Uint8Array;
    try {
      bytes = Deno.readFileSync(`${dir}/W3C-CSVW/${name}`);
    } catch {
      // Three of the noted files are not in the corpus.
      continue;
    }
    files++;
    const label = encoding === "ansi" ? "windows-1252" : "utf-8";
    const text = new TextDecoder(label).decode(bytes);
    const head = text.slice(0, 256 * 1024);
    const found = detectDialect({ head, isCut: head.length < text.length }, { knownColumns: [] });
    const isQuoteRight = found?.quote === '"' || (found?.quote === "" && !text.includes('"'));
    if (found?.delimiter === signs[delimiter] && isQuoteRight) right++;
  }
  return [{
    what: `dialects that people noted, ${files} files`,
    value: right / files * 100,
    unit: "%",
    goal: "> 92",
  }];
}
