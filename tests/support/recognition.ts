/** @module Files of known formats, and in what ways a reader may meet them. */
import { basename } from "node:path";
import { gunzipSync, zstdDecompressSync } from "node:zlib";
import { formatNames } from "../../operators/convert/formats/names.ts";
import { recognise } from "../../operators/convert/prepare/recognise.ts";
import { corpus } from "./corpora.ts";

/** A file whose format is known; null: it is of none. */
export interface Specimen {
  path: string;
  format: string | null;
}

/** What each corpus holds, by the paths in it; the first that matches decides. */
const truths: readonly [folder: string, pattern: RegExp, format: string | null | "skip"][] = [
  ["api_json", /\.csv$/, "csv"],
  ["api_json", /\.json$/, "json"],
  ["api_json", /\.xml$/, "xml"],
  ["arrow_testing", /fuzz|crash/, "skip"],
  ["arrow_testing", /\.(stream|arrow_file)$/, "arrow"],
  ["arrow_testing", /\.json\.gz$/, "json"],
  ["arrow_testing", /\.avro$/, "avro"],
  ["avro", /\.avro$/, "avro"],
  ["avro", /weather\.json$/, "ndjson"],
  ["avro", /\.(avsc|avpr|json)$/, "json"],
  ["avro", /\.(avdl|md|txt)$/, null],
  ["binance", /\.xml$/, "xml"],
  ["binance", /\.json$/, "json"],
  ["binance", /\.md$/, null],
  ["calamine", /pass|encrypt/i, "skip"],
  ["calamine", /\.xls[xm]$/, "xlsx"],
  ["calamine", /\.xls$/, "xls"],
  ["calamine", /\.ods$/, "ods"],
  ["calendars", /\.csv$/, "csv"],
  ["cron", /\.csv$/, "csv"],
  ["csv_dialect", /\.csv$/, "csv"],
  ["csv_spectrum", /\.csv$/, "csv"],
  ["csv_spectrum", /\.json$/, "json"],
  ["dbn", /\.dbn(\.zst)?$/, "dbn"],
  ["febrl", /\.csv$/, "csv"],
  ["fix", /\.xml$/, "xml"],
  ["iso20022", /\.xml$/, "iso20022"],
  // A word or a number alone is JSON by its name only.
  ["jsontestsuite", /lonely|y_string_space/, "skip"],
  ["jsontestsuite", /\/y_.*\.json$/, "json"],
  ["market", /\.csv(\.gz)?$/, "csv"],
  ["mt940", /\.sta$/, "swift_mt"],
  ["mt940", /\.yml$/, "yaml"],
  ["orc", /\.orc$/, "orc"],
  ["orc", /testTimestamp\.jsn/, "skip"],
  ["orc", /\.jsn\.gz$/, "ndjson"],
  ["parquet_testing", /bad_data|encrypted/, "skip"],
  ["parquet_testing", /\.parquet$/, "parquet"],
  ["parquet_testing", /\.md$/, null],
  ["parquet_testing", /\.csv$/, "csv"],
  ["pii", /\.json$/, "json"],
  ["sortinghat", /\.csv$/, "csv"],
  ["swift_mt", /LICENSE/, null],
  ["swift_mt", /\.(fin|rje|txt)$/, "swift_mt"],
  ["xmltest", /\/valid\/.*\.xml$/, "xml"],
  ["orc", /LICENSE/, null],
  ["avro", /LICENSE/, null],
  ["xmltest", /LICENSE/, null],
];

/** Every file of the corpora whose format is known. */
export async function specimens(): Promise<Specimen[]> {
  const found: Specimen[] = [];
  for (const folder of new Set(truths.map(([folder]) => folder))) {
    const root = await corpus(folder);
    if (root === null) continue;
    for (const path of (await filesBelow(root)).sort()) {
      const truth = truths.find(([of, pattern]) =>
        of === folder && pattern.test(path.slice(root.length))
      );
      if (truth && truth[2] !== "skip") found.push({ path, format: truth[2] });
    }
  }
  return found;
}

async function filesBelow(root: string): Promise<string[]> {
  const found: string[] = [];
  for await (const { name, isDirectory, isFile } of Deno.readDir(root)) {
    const path = `${root}/${name}`;
    if (isDirectory) found.push(...await filesBelow(path));
    else if (isFile) found.push(path);
  }
  return found;
}

/** A way to meet a file: what is left of its bytes and its name. */
export interface Manner {
  name: string;
  bytes(bytes: Uint8Array, format: string | null): Uint8Array;
  label(path: string): string;
}

const whole = (bytes: Uint8Array) => bytes;
/** As it is, without its ending, with another's, and the first bytes of it only. */
export const manners: readonly Manner[] = [
  { name: "as it is", bytes: whole, label: (path) => basename(path) },
  { name: "without an ending", bytes: whole, label: () => "data" },
  { name: "with another ending", bytes: whole, label: (path) => other(path) },
  { name: "its first 4 KB", bytes: (bytes) => bytes.subarray(0, 4096), label: () => "data" },
];

function other(path: string): string {
  return /\.(csv|txt|md|avdl)$|LICENSE/.test(path) ? "data.json" : "data.csv";
}

/** The file's bytes, out of gzip and zstd. */
export async function contentOf(path: string): Promise<Uint8Array> {
  const bytes = await Deno.readFile(path);
  if (path.endsWith(".gz")) return gunzipSync(bytes);
  return path.endsWith(".zst") ? zstdDecompressSync(bytes) : bytes;
}

/** What bytes under a name are taken for. */
export async function taken(bytes: Uint8Array, name: string, dir: string): Promise<string | null> {
  const path = `${dir}/specimen`;
  await Deno.writeFile(path, bytes);
  const { signal } = new AbortController();
  return (await recognise(path, name, { signal })).recognition?.format ?? null;
}

/** Tab-separated and comma-separated values are one format with two usual delimiters. */
export function isSameFormat(found: string | null, format: string | null): boolean {
  const plain = (name: string | null) => name === "tsv" ? "csv" : name;
  return plain(found) === plain(format);
}

/** What came of a measurement. */
export interface Measured {
  right: number;
  all: number;
  /** By format: files that were taken for it, and all. */
  formats: Map<string, { right: number; all: number }>;
  /** Paths by `json as csv`. */
  mistakes: Map<string, string[]>;
}

/** Meet every file of a format that is read in this manner. */
export async function measure(manner: Manner, files: readonly Specimen[]): Promise<Measured> {
  const known: ReadonlySet<string> = new Set(formatNames);
  const measured: Measured = { right: 0, all: 0, formats: new Map(), mistakes: new Map() };
  const dir = await Deno.makeTempDir();
  try {
    for (const { path, format } of files) {
      if (format !== null && !known.has(format)) continue;
      const bytes = manner.bytes(await contentOf(path), format);
      if (bytes.length === 0) continue;
      const found = await taken(bytes, manner.label(path), dir);
      const isRight = isSameFormat(found, format);
      const of = measured.formats.get(String(format)) ?? { right: 0, all: 0 };
      measured.formats.set(String(format), {
        right: of.right + Number(isRight),
        all: of.all + 1,
      });
      measured.all++;
      measured.right += Number(isRight);
      if (isRight) continue;
      const mistake = `${format} as ${found}`;
      measured.mistakes.set(mistake, [...measured.mistakes.get(mistake) ?? [], path]);
    }
    return measured;
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}
