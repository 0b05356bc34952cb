/** @module Raw files on their way to a raw dataset version: shared by all that collect. */
import { z } from "zod";
import type { DatasetVersionInfo } from "../../src/contract/dataset.ts";
import type { FailedPart, FileRef, PublishIntent, RawFiles } from "../../src/model/data.ts";
import type { TaskContext } from "../../src/sdk/context.ts";
import type { TaskOutcome } from "../../src/sdk/operator.ts";

/** Name of a source: words of lower-case letters, digits and `_`, joined by dots. */
export const SourceName = z.string().regex(/^[a-z0-9_]+(\.[a-z0-9_]+)*$/, {
  error: 'A source is named by lower-case letters, digits and "_", with dots between: "ecb.rates"',
});

/** Parameters of everything that collects. */
export const rawParams = {
  source: SourceName.meta({
    doc: "Source's name; its files become versions of the dataset raw.<source>",
    example: "alpha_vantage.daily",
  }),
  partition: z.string().min(1).max(200).optional().meta({
    doc: "Partition of the raw dataset; left out: the date of the run's data interval",
  }),
  onEmpty: z.enum(["skip", "done", "fail"]).default("skip").meta({
    doc: "What the task is when the source has no data: skipped, done without files, or failed",
  }),
};

type Json = z.core.util.JSONType;

/** What a collection brought. */
export interface RawResult {
  source: string;
  partition: string;
  files: FileRef[];
  failed: FailedPart[];
  /** Cursors and memories, written together with the version. */
  state: Record<string, unknown>;
  metrics: Record<string, Json>;
}

/** The raw dataset of a source. */
export function rawDataset(source: string): string {
  return `raw.${source}`;
}

/**
 * The outcome of a collection: its files, and the intent to publish them as a version of
 * `raw.<source>` in the transaction that also writes the cursor. Content that the newest version of
 * the partition has already makes no new version: that one's files are put out.
 *
 * Files are opaque here, so the row equation is 0 = 0; rows begin to count at `convert`.
 */
export async function rawOutcome(ctx: TaskContext, result: RawResult): Promise<
  TaskOutcome<RawFiles>
> {
  const { source, partition, failed, state } = result;
  const dataset = rawDataset(source);
  const newest = await ctx.dataset(dataset, partition);
  const unchanged = newest !== null && sameContent(newest, result.files);
  const files = unchanged ? newest.files : result.files;
  const collectedAt = ctx.clock.now().toISOString();
  const metrics = {
    ...result.metrics,
    files: files.length,
    ...(failed.length > 0 ? { failedParts: failed.length } : {}),
    ...(unchanged ? { seenAgainAt: collectedAt } : {}),
  };
  const publish: PublishIntent = {
    dataset,
    partition,
    kind: "raw",
    schema: null,
    files,
    lineageFiles: [],
    rows: null,
    inputs: [],
    columns: [],
    metrics,
  };
  return {
    kind: "done",
    output: { kind: "raw", source, dataset, partition, files, collectedAt, failed },
    effects: {
      accounting: { in: 0, generated: 0, out: 0, quarantined: 0, mergedAway: 0, filtered: 0 },
      publish: unchanged || files.length === 0 ? [] : [publish],
      state: state as Record<string, Json>,
      metrics,
    },
  };
}

/** The same bytes in the same order, from the same sources under the same labels. */
function sameContent(newest: DatasetVersionInfo, files: FileRef[]): boolean {
  const identity = ({ sha256, source, labels }: FileRef) =>
    JSON.stringify([sha256, source ?? null, Object.entries(labels ?? {}).sort()]);
  return newest.files.length === files.length &&
    newest.files.every((file, i) => identity(file) === identity(files[i]));
}
