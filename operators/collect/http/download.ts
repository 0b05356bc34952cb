/** @module A body on its way to disk: bounded memory, running digests, and picked up where it was cut. */
import type { Clock } from "../../../src/base/clock.ts";
import { type ExpectedDigest, expectedDigests, RunningDigest } from "./digest.ts";
import { exchange } from "./exchange.ts";
import { excerpt, failureOf, HttpFailure, messageOf } from "./failure.ts";
import { concatBytes, writeAll } from "./bytes.ts";
import type { Prepared } from "./prepare.ts";
import { watchStall, within } from "./within.ts";

/** Bytes from the start that are kept for a look. */
const headBytes = 64 * 1024;

/** A body on disk. */
export interface Download {
  path: string;
  bytes: number;
  sha256: string;
  status: number;
  headers: Headers;
  head: Uint8Array;
}

/** How patient, and how much. */
export interface DownloadLimits {
  answerMs: number;
  stallMs: number;
  bytesMax: number;
}

/** What an earlier fetch of the same request knew of its content. */
export interface Validators {
  etag: string | null;
  lastModified: string | null;
}

/** One body, over as many requests as it takes. Dispose it to close the file. */
export class BodyDownload implements Disposable {
  readonly #path: string;
  readonly #file: Deno.FsFile;
  #bytes = 0;
  #head: Uint8Array[] = [];
  #expected: ExpectedDigest[] = [];
  #digest = new RunningDigest([]);
  #total: number | null = null;
  /** With which a server can be asked for the rest of the very same content. */
  #validator: string | null = null;

  constructor(path: string) {
    this.#path = path;
    this.#file = Deno.openSync(path, { create: true, write: true, truncate: true });
  }

  /** Bytes that are on disk so far. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Ask once. Returns the body when it is whole, or "not_modified" for status 304. */
  async receive(
    prepared: Prepared,
    { clock, signal, limits, known }: {
      clock: Clock;
      signal: AbortSignal;
      limits: DownloadLimits;
      known?: Validators;
    },
  ): Promise<Download | "not_modified"> {
    const stall = new AbortController();
    const both = AbortSignal.any([signal, stall.signal]);
    const answer = await within(
      { clock, ms: limits.answerMs, parent: both, what: "the source did not answer" },
      (late) =>
        exchange(prepared, { signal: late, extraHeaders: this.#conditions(prepared, known) }),
    );
    if (answer.status === 304 && known) {
      await discard(answer);
      return "not_modified";
    }
    await this.#accept(answer, { clock, signal, limits, now: clock.now() });
    const watch = watchStall({
      clock,
      ms: limits.stallMs,
      onStall: () =>
        stall.abort(
          new HttpFailure(
            "retry",
            `the body stood still for ${limits.stallMs} ms after ${this.#bytes} bytes`,
          ),
        ),
    });
    try {
      await this.#write(answer, { signal: both, limits, moved: watch.moved });
    } catch (error) {
      if (stall.signal.aborted && !signal.aborted) throw stall.signal.reason;
      throw error;
    } finally {
      watch.stop();
    }
    return this.#finish(answer);
  }

  [Symbol.dispose](): void {
    this.#file.close();
  }

  /** Headers that ask for the rest, or only for news. */
  #conditions({ method }: Prepared, known?: Validators): Record<string, string> {
    if (this.#bytes > 0 && this.#validator !== null && method === "GET") {
      return { "range": `bytes=${this.#bytes}-`, "if-range": this.#validator };
    }
    if (method !== "GET" || !known) return {};
    return {
      ...(known.etag === null ? {} : { "if-none-match": known.etag }),
      ...(known.lastModified === null ? {} : { "if-modified-since": known.lastModified }),
    };
  }

  /** Begin anew or go on, by what the answer is. */
  async #accept(
    answer: Response,
    { clock, signal, limits, now }: {
      clock: Clock;
      signal: AbortSignal;
      limits: DownloadLimits;
      now: Date;
    },
  ): Promise<void> {
    if (answer.status === 206) {
      const range = /^bytes (\d+)-\d+\/(\d+|\*)$/.exec(answer.headers.get("content-range") ?? "");
      const fits = range !== null && Number(range[1]) === this.#bytes && this.#bytes > 0 &&
        (this.#total === null || range[2] === "*" || Number(range[2]) === this.#total);
      if (fits) return;
      await discard(answer);
      this.#restart(null);
      throw new HttpFailure(
        "retry",
        `the source answered with another range ("${answer.headers.get("content-range")}") than ` +
          "the one that was asked for",
      );
    }
    if (answer.status >= 200 && answer.status < 300) {
      this.#restart(answer);
      if (this.#total !== null && this.#total > limits.bytesMax) {
        await discard(answer);
        throw tooLarge(this.#total, limits.bytesMax);
      }
      return;
    }
    if (answer.status === 416) this.#restart(null);
    const said = await within(
      { clock, ms: limits.answerMs, parent: signal, what: "the error's text did not come" },
      () => readStart(answer, 4096),
    ).catch(() => "");
    throw failureOf(answer, errorText(said), now);
  }

  #restart(answer: Response | null): void {
    this.#file.truncateSync(0);
    this.#file.seekSync(0, Deno.SeekMode.Start);
    this.#bytes = 0;
    this.#head = [];
    this.#expected = answer ? expectedDigests(answer.headers) : [];
    this.#digest = new RunningDigest(this.#expected);
    const length = answer?.headers.get("content-length");
    this.#total = length && /^\d+$/.test(length) ? Number(length) : null;
    this.#validator = answer ? resumeValidator(answer.headers) : null;
  }

  async #write(
    answer: Response,
    { signal, limits, moved }: {
      signal: AbortSignal;
      limits: DownloadLimits;
      moved: () => void;
    },
  ): Promise<void> {
    if (answer.body === null) return;
    const reader = answer.body.getReader();
    const cancel = () => void reader.cancel(signal.reason).catch(() => {});
    signal.addEventListener("abort", cancel, { once: true });
    try {
      for (;;) {
        const { done, value } = await reader.read().catch((error) => {
          signal.throwIfAborted();
          throw new HttpFailure(
            "retry",
            `the body broke off after ${this.#bytes} bytes: ${messageOf(error)}`,
          );
        });
        signal.throwIfAborted();
        if (done) return;
        if (this.#bytes + value.length > limits.bytesMax) {
          cancel();
          throw tooLarge(this.#bytes + value.length, limits.bytesMax);
        }
        await writeAll(this.#file, value);
        this.#digest.update(value);
        if (this.#bytes < headBytes) this.#head.push(value.slice(0, headBytes - this.#bytes));
        this.#bytes += value.length;
        moved();
      }
    } finally {
      signal.removeEventListener("abort", cancel);
    }
  }

  #finish(answer: Response): Download {
    if (this.#total !== null && this.#bytes !== this.#total) {
      const message = `the body has ${this.#bytes} bytes and Content-Length said ${this.#total}`;
      if (this.#bytes > this.#total) this.#restart(null);
      throw new HttpFailure("retry", message);
    }
    const { sha256, missed } = this.#digest.finish(this.#expected);
    if (missed.length > 0) {
      const { header, base64 } = missed[0];
      const message = `the body does not have the digest of its ${header} header (${base64})`;
      this.#restart(null);
      throw new HttpFailure("retry", message);
    }
    return {
      path: this.#path,
      bytes: this.#bytes,
      sha256,
      status: answer.status,
      headers: answer.headers,
      head: concatBytes(this.#head),
    };
  }

  /** Forget what came: the next request begins anew. */
  reset(): void {
    this.#restart(null);
  }
}

/** A strong ETag, or else the date of the last change; null when the server promises neither. */
function resumeValidator(headers: Headers): string | null {
  if (headers.get("accept-ranges")?.toLowerCase() === "none") return null;
  const etag = headers.get("etag");
  if (etag !== null && etag.startsWith('"')) return etag;
  return headers.get("last-modified");
}

function tooLarge(bytes: number, bytesMax: number): HttpFailure {
  return new HttpFailure(
    "final",
    `the body has at least ${bytes} bytes and bytesMax allows ${bytesMax}`,
  );
}

/** The text of an error answer: of an HTML page its title. */
function errorText(body: string): string {
  const title = /<title[^>]*>([^<]*)/i.exec(body);
  return excerpt(title ? title[1] : /^\s*</.test(body) ? "" : body);
}

async function readStart(answer: Response, bytesMax: number): Promise<string> {
  const parts: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of answer.body ?? []) {
    parts.push(chunk);
    bytes += chunk.length;
    if (bytes >= bytesMax) break;
  }
  return new TextDecoder().decode(concatBytes(parts).subarray(0, bytesMax));
}

async function discard(answer: Response): Promise<void> {
  await answer.body?.cancel();
}
