/** @module A raw file as plain UTF-8 bytes: unpacked and decoded when it is not. */
import { join } from "node:path";
import { AppError } from "../../src/model/errors.ts";
import type { SourceFile } from "./formats/format.ts";

/** First bytes that formats are told by. */
export const headBytes = 64 * 1024;

/** Encodings that can be named; others are refused by the decoder. */
export interface PrepareOptions {
  /** Label of the WHATWG Encoding Standard; the default is UTF-8, or what a byte order mark says. */
  encoding?: string;
  /** Where an unpacked copy goes. */
  tempPath(extension: string): string;
  signal: AbortSignal;
}

/** What to read instead of the file at `path`. Throws CORRUPT where it cannot be unpacked. */
export async function prepareFile(
  path: string,
  name: string,
  { encoding, tempPath, signal }: PrepareOptions,
): Promise<SourceFile> {
  const head = await readHead(path, 4);
  const isGzip = head[0] === 0x1f && head[1] === 0x8b;
  if (head[0] === 0x50 && head[1] === 0x4b && head[2] === 3) {
    throw new AppError("INVALID", `Cannot read ${name}: it is a ZIP archive; collect its members`);
  }
  const marked = markedEncoding(head);
  const label = marked ?? encoding ?? "utf-8";
  const isUtf8 = /^utf-?8$/i.test(label);
  if (!isGzip && isUtf8) {
    const { size } = await Deno.stat(path);
    return { path, name, bytes: size, isAsCollected: true };
  }
  const plain = tempPath("plain");
  using input = await Deno.open(path);
  let stream: ReadableStream<Uint8Array<ArrayBuffer>> = input.readable;
  if (isGzip) stream = stream.pipeThrough(new DecompressionStream("gzip"));
  if (!isUtf8) {
    stream = stream.pipeThrough(decoderFor(label, name)).pipeThrough(new TextEncoderStream());
  }
  try {
    await Deno.writeFile(plain, stream, { createNew: true, signal });
  } catch (error) {
    signal.throwIfAborted();
    if (!(error instanceof TypeError)) throw error;
    const what = isGzip ? "gzip" : label;
    throw new AppError("CORRUPT", `Cannot read ${name} as ${what}: ${error.message}`, {
      cause: error,
    });
  }
  const { size } = await Deno.stat(plain);
  return { path: plain, name, bytes: size, isAsCollected: false };
}

/** Up to `bytes` first bytes. */
export async function readHead(path: string, bytes = headBytes): Promise<Uint8Array> {
  using file = await Deno.open(path);
  const head = new Uint8Array(bytes);
  let length = 0;
  while (length < bytes) {
    const read = await file.read(head.subarray(length));
    if (read === null) break;
    length += read;
  }
  return head.subarray(0, length);
}

function markedEncoding(head: Uint8Array): string | null {
  if (head[0] === 0xff && head[1] === 0xfe) return "utf-16le";
  if (head[0] === 0xfe && head[1] === 0xff) return "utf-16be";
  return null;
}

function decoderFor(label: string, name: string): TransformStream<BufferSource, string> {
  try {
    return new TextDecoderStream(label, { fatal: true });
  } catch (error) {
    throw new AppError("INVALID", `Cannot read ${name}: there is no encoding "${label}"`, {
      cause: error,
    });
  }
}

/** Gives paths in a folder that no file has yet. */
export function tempPaths(dir: string, prefix: string): (extension: string) => string {
  let next = 0;
  return (extension) => join(dir, `${prefix}-${next++}${extension === "" ? "" : `.${extension}`}`);
}
