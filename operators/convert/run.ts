/** @module Runs `convert`. */
import { join } from "node:path";
import { canonicalJson, sha256 } from "../../src/base/hash.ts";
import type { FileRef, RawFiles, TableRef } from "../../src/model/data.ts";
import { hasCode } from "../../src/model/errors.ts";
import type { TaskContext } from "../../src/sdk/context.ts";
import type { OperatorRun } from "../../src/sdk/operator.ts";
import { setPiiKey } from "../pii/actions_sql.ts";
import type { PiiKey } from "../pii/policy.ts";
import { refusal } from "../table/refusal.ts";
import { rowsOfFiles } from "../table/rows.ts";
import { targetNamed } from "./formats/mod.ts";
import { writeFile } from "./write_file.ts";
import { type Converted, convertFiles } from "./convert_files.ts";
import { summaryOf } from "./inference/column.ts";
import type { ConvertParams } from "./params.ts";
import { unreached } from "./privacy.ts";

/** Body of {@link ./mod.ts#convert}. */
export const run: OperatorRun<
  ConvertParams,
  { from: RawFiles },
  TableRef | RawFiles
> = async (
  { params, inputs: { from }, ctx },
) => {
  const raw = await Promise.all(from.files.map(async (file) => ({
    path: await ctx.files.open(file),
    name: file.name ?? file.key,
    key: file.key,
    source: file.source ?? from.source,
    labels: file.labels ?? {},
  })));
  if (params.piiKey) await setPiiKey(ctx.engine, await keyOf(params.piiKey, ctx));
  const converted = await convertFiles(raw, params, ctx).catch((error) => {
    throw withoutRetry(error);
  });
  const { quarantine } = converted;
  const refused = await quarantine.finish(ctx, {
    dataset: converted.schema.name,
    source: from.source,
  });
  const { accounting } = converted;
  if (accounting.in > 0 && accounting.out === 0) {
    ctx.log.warn("No row fits the schema", { rows: accounting.in, ...quarantine.reasons });
  }
  for (const { name, notes } of converted.read) {
    for (const note of notes) ctx.log.info(note, { file: name });
  }
  const left = unreached(converted.privacy, params.pii);
  if (left.length > 0) {
    ctx.log.warn(
      "Personal data within texts is not reached by a policy on kinds: name the column",
      {
        columns: left,
      },
    );
  }
  return {
    kind: "done",
    output: params.to === "parquet"
      ? await tableOutput(ctx, from, converted)
      : await fileOutput(ctx, from, converted, params.to),
    effects: {
      accounting,
      quarantine: refused ? [refused] : [],
      metrics: await metricsOf(from.files, converted),
    },
  };
};

async function keyOf(from: PiiKey, ctx: TaskContext): Promise<string> {
  if ("connection" in from) {
    const { password } = await ctx.connection(from.connection);
    if (password) return password;
    throw refusal(
      "INVALID",
      `Cannot hash personal data: connection "${from.connection}" has no password`,
    );
  }
  const value = await ctx.variable(from.variable);
  if (typeof value === "string") return value;
  throw refusal("INVALID", `Cannot hash personal data: variable "${from.variable}" is no text`);
}

async function tableOutput(
  ctx: TaskContext,
  from: RawFiles,
  converted: Converted,
): Promise<TableRef> {
  const files = await putFiles(ctx, converted);
  return {
    kind: "table",
    schema: converted.schema,
    files: files.map(({ file }) => file),
    rows: converted.accounting.out,
    sources: [...new Set(from.files.map(({ source }) => source ?? from.source))],
    inputs: [inputOf(from)],
    lineage: [],
    provenance: files.map(({ provenance }) => provenance),
  };
}

/** All rows in one file of a format for others. */
async function fileOutput(
  ctx: TaskContext,
  from: RawFiles,
  { schema, files, accounting }: Converted,
  to: Exclude<ConvertParams["to"], "parquet">,
): Promise<RawFiles> {
  const provenance = files.map((file) => file.provenance);
  const relation = await rowsOfFiles(ctx, { schema, provenance }, files.map(({ path }) => path));
  const format = targetNamed(to);
  const path = join(await Deno.makeTempDir({ dir: ctx.workDir, prefix: "written-" }), "rows");
  await writeFile(ctx, { relation, columns: schema.columns, to, path });
  const file = await ctx.files.put(path, {
    name: `${schema.name}.${format.extensions[0]}`,
    mediaType: format.mediaType,
    rows: accounting.out,
  });
  return { ...from, files: [file], collectedAt: ctx.clock.now().toISOString() };
}

async function putFiles(ctx: TaskContext, { schema, files }: Converted) {
  const put = [];
  for (const [i, { path, rows, provenance }] of files.entries()) {
    // A file without rows says nothing that the schema does not.
    if (rows === 0) continue;
    const file = await ctx.files.put(path, {
      name: `${schema.name}-${i}.parquet`,
      mediaType: "application/vnd.apache.parquet",
      rows,
    });
    put.push({ file, provenance });
  }
  return put;
}

/** Dataset, partition and content: how a version is named before it has an id. */
export function inputOf({ dataset, partition, files }: RawFiles): string {
  const content = sha256(canonicalJson(files.map((file) => [file.sha256, file.bytes])));
  return `${dataset}@${partition}#${content}`;
}

async function metricsOf(raw: readonly FileRef[], converted: Converted) {
  const { accounting, quarantine, discarded, newColumns, missingColumns, verdicts } = converted;
  const { formats, skippedMembers, privacy } = converted;
  return {
    bytesIn: raw.reduce((sum, { bytes }) => sum + bytes, 0),
    rowsIn: accounting.in,
    rowsOut: accounting.out,
    formats,
    ...(Object.keys(skippedMembers).length > 0 ? { skippedMembers } : {}),
    ...(quarantine.rows > 0 ? { quarantined: { ...quarantine.reasons } } : {}),
    ...(accounting.filtered > 0 ? { discarded: { ...discarded } } : {}),
    ...(newColumns.length > 0 ? { newColumns } : {}),
    ...(missingColumns.length > 0 ? { missingColumns } : {}),
    ...(privacy.size > 0
      ? {
        personalData: Object.fromEntries(
          [...privacy].slice(0, INFERRED_MAX).map(([name, { kind, within, action }]) => [
            name,
            {
              kind,
              ...(within.length > 0 ? { within: [...within] } : {}),
              action: action ?? "keep",
            },
          ]),
        ),
      }
      : {}),
    ...(verdicts.size > 0 ? { inferred: await inferredFigures(verdicts) } : {}),
  };
}

/** Columns of which a task's figures say how their types came to be. */
const INFERRED_MAX = 200;

/** Without examples: figures are for all who may see the task. */
async function inferredFigures(verdicts: Converted["verdicts"]) {
  const { meaningOf } = await import("./inference/semantic/model.ts");
  return Object.fromEntries(
    [...verdicts].slice(0, INFERRED_MAX).map(([name, verdict]) => [
      name,
      summaryOf(verdict, meaningOf(verdict.column).meaning),
    ]),
  );
}

/** The same bytes fail the same way: what is wrong with them is no reason to try again. */
function withoutRetry(error: unknown): unknown {
  const isData = hasCode(error, "CORRUPT") || hasCode(error, "INVALID");
  return isData ? Object.assign(error, { final: true }) : error;
}
