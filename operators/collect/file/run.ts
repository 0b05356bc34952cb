/** @module The body of `collect.file`. */
import type { FileRef, RawFiles } from "../../../src/model/data.ts";
import type { TaskContext } from "../../../src/sdk/context.ts";
import { FinalError, type OperatorRun, type TaskOutcome } from "../../../src/sdk/operator.ts";
import { rawDataset, rawOutcome } from "../raw.ts";
import { putAway, remember, takenBefore, type TakenFile, takenKey } from "./memory.ts";
import type { CollectFileParams } from "./mod.ts";
import { isSame, readyFiles, scanFolder, type SeenFile } from "./scan.ts";
import { copyFile } from "./take.ts";

/** Take the new whole files, and put out all files of the partition. */
export const run: OperatorRun<CollectFileParams, unknown, RawFiles> = async ({ params, ctx }) => {
  const folder = await folderOf(ctx, params);
  const { source } = params;
  const partition = params.partition ?? ctx.interval.date;
  const before = await putAway(folder, takenBefore(ctx), params);
  const there = await scanFolder(folder, params);
  const newest = await ctx.dataset(rawDataset(source), partition);
  const still = newest?.files ?? [];
  const taken = before.taken.filter((file) =>
    file.partition !== partition || still.some(({ sha256 }) => sha256 === file.sha256)
  );
  const isNew = (file: SeenFile) =>
    !taken.some((known) => known.path === file.path && isSame(known, file));
  const fresh = there.filter(isNew);
  if (fresh.length > params.filesMax) {
    throw new FinalError(
      `Cannot take ${fresh.length} files from ${folder} at once: filesMax is ${params.filesMax}`,
    );
  }
  const ready = await readyFiles(folder, fresh, { ...ctx, ready: params.ready });
  const taking = await takeAll(ctx, params, { folder, partition, ready, taken, still });
  const staying = still.filter(({ name }) => name === undefined || !taking.replaced.has(name));
  const files = [...staying, ...taking.files];
  const unready = fresh.length - ready.length + taking.changed;
  if (unready > 0) ctx.log.warn(`${unready} files are not whole yet and stay`, { folder });
  const short = files.length < Math.max(params.filesMin, 1);
  if (short) {
    const outcome = tooFew(ctx, params, { folder, files: files.length, unready });
    if (outcome !== null) return outcome;
  }
  return await rawOutcome(ctx, {
    source,
    partition,
    files,
    failed: [],
    state: { [takenKey]: remember(taking.taken, there, folder) },
    metrics: {
      taken: taking.files.length,
      bytes: taking.files.reduce((sum, file) => sum + file.bytes, 0),
      seenAgain: taking.seenAgain,
      replaced: still.length - staying.length,
      notWhole: unready,
      putAway: before.paths.length,
    },
  });
};

async function folderOf(ctx: TaskContext, params: CollectFileParams): Promise<string> {
  if (params.connection === undefined) return params.folder!.replace(/\/+$/, "");
  const { extra } = await ctx.connection(params.connection);
  if (typeof extra.path === "string" && extra.path.startsWith("/")) {
    return extra.path.replace(/\/+$/, "");
  }
  throw new FinalError(
    `Cannot use connection "${params.connection}" as a folder: its extra.path must be an absolute ` +
      `path and is ${JSON.stringify(extra.path ?? null)}`,
  );
}

interface Taking {
  files: FileRef[];
  taken: TakenFile[];
  /** Names whose older files leave the partition. */
  replaced: Set<string>;
  seenAgain: number;
  /** Files that changed while they were read. */
  changed: number;
}

async function takeAll(
  ctx: TaskContext,
  params: CollectFileParams,
  { folder, partition, ready, taken, still }: {
    folder: string;
    partition: string;
    ready: SeenFile[];
    taken: TakenFile[];
    still: readonly FileRef[];
  },
): Promise<Taking> {
  const replaced = new Set<string>();
  const replace = (path: string, sha256: string) => {
    if (params.sameName === "keep_both") return;
    if (!still.some((file) => file.name === path && file.sha256 !== sha256)) return;
    replaced.add(path);
    ctx.log.info(`${path} came with other content, which takes the place of the older one`, {
      partition,
    });
  };
  const known = new Map(taken.map((file) => [file.sha256, file]));
  const after = [...taken];
  const files: FileRef[] = [];
  let seenAgain = 0;
  let changed = 0;
  for (const file of ready) {
    const { workDir, signal } = ctx;
    const copied = await copyFile({ folder, file, workDir, signal }, params);
    if (copied === null) {
      changed++;
      continue;
    }
    const at = ctx.clock.now().toISOString();
    const earlier = known.get(copied.sha256);
    if (earlier && params.sameContent === "skip") {
      seenAgain++;
      ctx.log.info(`${file.path} has the content of ${earlier.path}, which was taken before`, {
        partition: earlier.partition,
        takenAt: earlier.takenAt,
      });
      if (earlier.partition === partition) replace(file.path, earlier.sha256);
      const { sha256, takenAt } = earlier;
      after.push({ ...file, sha256, partition: earlier.partition, takenAt, seenAgainAt: at });
      continue;
    }
    const stored = await ctx.files.put(copied.copy, { name: file.path });
    files.push(stored);
    replace(file.path, stored.sha256);
    const entry = { ...file, sha256: copied.sha256, partition, takenAt: at };
    known.set(copied.sha256, entry);
    after.push(entry);
    ctx.log.info(`Took ${file.path}`, { bytes: file.bytes, sha256: copied.sha256 });
  }
  return { files, taken: after, replaced, seenAgain, changed };
}

/** What a run with too few files comes to; null: go on with what there is. */
function tooFew(
  ctx: TaskContext,
  params: CollectFileParams,
  { folder, files, unready }: { folder: string; files: number; unready: number },
): TaskOutcome<RawFiles> | null {
  const reason = `${folder} has ${files} of ${Math.max(params.filesMin, 1)} files ` +
    `like ${params.pattern}${unready > 0 ? ` and ${unready} that are not whole yet` : ""}`;
  const now = ctx.clock.now().getTime();
  if (params.waitMs > 0 && now < ctx.runAfter.getTime() + params.waitMs) {
    return { kind: "retryAt", at: new Date(now + params.pollMs), reason: reason.slice(0, 500) };
  }
  if (files > 0 || params.onEmpty === "fail") {
    throw new Error(`Cannot collect "${params.source}": ${reason}`);
  }
  return params.onEmpty === "skip" ? { kind: "skip", reason: reason.slice(0, 500) } : null;
}
