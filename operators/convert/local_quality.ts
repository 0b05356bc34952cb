/** @module Quality rules over rows that were converted on this machine. */
import { systemClock } from "../../src/base/clock.ts";
import type { RowAccounting, TableRef } from "../../src/model/data.ts";
import type { TaskContext } from "../../src/sdk/context.ts";
import type { QualityParams } from "../quality/params.ts";
import { run } from "../quality/run.ts";
import type { QuarantineWriter, RefusedRow } from "../table/quarantine.ts";
import type { Converted } from "./convert_files.ts";
import type { LocalEnvironment } from "./local.ts";

/** Rows that are left, and what the rules found. */
export interface CheckedRows {
  files: Converted["files"];
  accounting: RowAccounting;
  /** Figures by rule and column, and the bounds that were missed under `onFail: "warn"`. */
  quality: unknown;
}

/**
 * Check the rows; those that fail join the conversion's quarantine. Throws FinalError when the table
 * is not good enough.
 */
export async function checkRows(
  converted: Pick<Converted, "files" | "schema" | "accounting" | "quarantine">,
  params: QualityParams,
  environment: LocalEnvironment,
): Promise<CheckedRows> {
  const { files, schema, accounting } = converted;
  const filled = files.filter(({ rows }) => rows > 0);
  const table: TableRef = {
    kind: "table",
    schema,
    files: filled.map(({ path, rows }) => ({ key: path, bytes: 0, sha256: "", rows })),
    rows: accounting.out,
    sources: ["local"],
    inputs: [],
    lineage: [],
    provenance: filled.map(({ provenance }) => provenance),
  };
  const ctx = contextOf(environment);
  const outcome = await run({ params, inputs: { from: table }, ctx });
  if (outcome.kind !== "done") throw new Error(`quality ended as ${outcome.kind}`);
  const { output, effects } = outcome;
  await addRefused(converted.quarantine, effects?.quarantine?.[0]?.file.key ?? null);
  const refused = effects?.accounting?.quarantined ?? 0;
  return {
    files: refused === 0 ? files : output.files.map(({ key }) => ({
      path: key,
      rows: output.rows,
      provenance: null,
    })),
    accounting: {
      ...accounting,
      out: accounting.out - refused,
      quarantined: accounting.quarantined + refused,
    },
    quality: (effects?.metrics as { quality?: unknown } | undefined)?.quality ?? null,
  };
}

/** What the rules need of a task's context: files are named by their paths. */
function contextOf({ engine, workDir, signal }: LocalEnvironment): TaskContext {
  return {
    engine,
    workDir,
    clock: systemClock,
    signal: signal ?? new AbortController().signal,
    log: { warn() {} },
    files: {
      open: ({ key }: { key: string }) => Promise.resolve(key),
      put: (path: string, given: object) =>
        Promise.resolve({ ...given, key: path, bytes: 0, sha256: "" }),
    },
  } as unknown as TaskContext;
}

async function addRefused(quarantine: QuarantineWriter, path: string | null): Promise<void> {
  if (path === null) return;
  using file = await Deno.open(path);
  let rest = "";
  for await (const text of file.readable.pipeThrough(new TextDecoderStream())) {
    const lines = (rest + text).split("\n");
    rest = lines.pop()!;
    for (const line of lines) await quarantine.add(JSON.parse(line) as RefusedRow);
  }
}
