/**
 * @module Imports many bundles, a few processes at a time.
 *
 * A process imports a batch of bundles one after the other. A file that makes trouble there, or is
 * slow, ends that process and is tried again when all others are done, in a process of its own: so it
 * delays nobody, and is blamed for nothing that another one left behind.
 * When other files change meanwhile, a slow one is left for the next time.
 */
import type { Clock } from "../base/clock.ts";
import { bundleModuleUrl, type InstalledBundle } from "../objects/bundle_cache.ts";
import type { ModuleRuntime } from "../objects/module_runtime.ts";
import {
  type ChildAnswer,
  type ParseChild,
  type ParseLimits,
  startParseChild,
} from "./parse_child.ts";

/** A file to import. */
export interface ParseItem {
  file: string;
  bundle: InstalledBundle;
  runtime: ModuleRuntime;
}

/** Options of {@link parseBatches}. */
export interface ParsePoolOptions<Item extends ParseItem> {
  limits: ParseLimits;
  clock: Clock;
  /** Stops everything, and rejects. */
  signal?: AbortSignal;
  /** Others wait for this to end: files that are slow by themselves are left without an answer. */
  hurry?: AbortSignal;
  /** May this slow file be left so? The default is yes. */
  canWait?(item: Item): boolean;
  /** Gets each answer as it comes, and how long the import took. */
  onAnswer(item: Item, answer: ChildAnswer, tookMs: number): void;
}

/** Processes at one time. */
const LANES = 2;
/** Files that one process imports. */
const BATCH_FILES = 100;
/** Files that a process is sent at a time, so that it need not wait for this one. */
const AHEAD = 8;
/** A file that takes longer than this among others gets a process of its own. */
const QUICK_MS = 1_000;

/** Import the items as they come, in batches; resolves when all have been answered. */
export async function parseBatches<Item extends ParseItem>(
  items: AsyncIterable<Item[]>,
  options: ParsePoolOptions<Item>,
): Promise<void> {
  const batches = batchesOf(items);
  const suspects: Item[] = [];
  await inLanes(async () => {
    for (;;) {
      const { done, value } = await batches.next();
      if (done) return;
      suspects.push(...await parseTogether(value, options));
    }
  });
  await inLanes(async () => {
    for (let item = suspects.shift(); item; item = suspects.shift()) {
      await parseAlone(item, options);
    }
  });
}

/** Every lane ends, also when one fails; then the first failure is thrown. */
async function inLanes(lane: () => Promise<void>): Promise<void> {
  const ended = await Promise.allSettled(Array.from({ length: LANES }, lane));
  for (const one of ended) if (one.status === "rejected") throw one.reason;
}

/** Groups of files that can share a process. An async generator serves one caller at a time. */
async function* batchesOf<Item extends ParseItem>(
  items: AsyncIterable<Item[]>,
): AsyncGenerator<Item[]> {
  for await (const some of items) {
    const size = Math.min(BATCH_FILES, Math.ceil(some.length / LANES));
    for (const group of Map.groupBy(some, (item) => item.runtime.key).values()) {
      for (let at = 0; at < group.length; at += size) yield group.slice(at, at + size);
    }
  }
}

/** Answers for those that went well; gives back the others. */
async function parseTogether<Item extends ParseItem>(
  batch: Item[],
  options: ParsePoolOptions<Item>,
): Promise<Item[]> {
  if (batch.length === 1) return batch;
  const ms = Math.min(QUICK_MS, options.limits.ms);
  const suspects: Item[] = [];
  let child: ParseChild | null = null;
  let sent = 0;
  try {
    for (const [i, item] of batch.entries()) {
      child ??= await start(batch.slice(sent = i), options);
      for (; sent < Math.min(batch.length, i + AHEAD); sent++) child.send(urlOf(batch[sent]));
      const fromMs = options.clock.monotonicMs();
      const answer = await child.receive(ms);
      options.signal?.throwIfAborted();
      if (answer.kind === "dags") {
        options.onAnswer(item, answer, options.clock.monotonicMs() - fromMs);
      } else {
        suspects.push(item);
        await child.stop();
        child = null;
      }
    }
    return suspects;
  } finally {
    await child?.stop();
  }
}

async function parseAlone<Item extends ParseItem>(
  item: Item,
  options: ParsePoolOptions<Item>,
): Promise<void> {
  const child = await start([item], options);
  try {
    child.send(urlOf(item));
    const fromMs = options.clock.monotonicMs();
    using end = abortedAtEnd();
    const answer = await Promise.race([
      child.receive(options.limits.ms),
      waitForHurry(item, options, end.signal),
    ]);
    options.signal?.throwIfAborted();
    if (answer) options.onAnswer(item, answer, options.clock.monotonicMs() - fromMs);
  } finally {
    await child.stop();
  }
}

/** Null when others wait and the file has had its time among them; never otherwise. */
async function waitForHurry<Item extends ParseItem>(
  item: Item,
  { clock, hurry, canWait }: ParsePoolOptions<Item>,
  end: AbortSignal,
): Promise<null> {
  await clock.sleep(QUICK_MS, { signal: end });
  const hurried = Promise.withResolvers<null>();
  const onAbort = () => {
    if (!end.aborted && (canWait?.(item) ?? true)) hurried.resolve(null);
  };
  if (hurry?.aborted) onAbort();
  else hurry?.addEventListener("abort", onAbort, { once: true, signal: end });
  return await hurried.promise;
}

function abortedAtEnd(): { signal: AbortSignal } & Disposable {
  const controller = new AbortController();
  return { signal: controller.signal, [Symbol.dispose]: () => controller.abort() };
}

const urlOf = ({ bundle, file }: ParseItem) => bundleModuleUrl(bundle, file);

// deno-lint-ignore require-await
async function start(
  batch: ParseItem[],
  { limits, clock, signal }: Pick<ParsePoolOptions<ParseItem>, "limits" | "clock" | "signal">,
): Promise<ParseChild> {
  signal?.throwIfAborted();
  return startParseChild({
    runtime: batch[0].runtime,
    readDirs: batch.map((item) => item.bundle.dir),
    limits,
    clock,
    signal,
  });
}
