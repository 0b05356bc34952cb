/** @module What an unpacked file is: a binary format, or a text, its encoding and its format. */
import { recogniseBinary, recogniseText, type Recognition } from "../formats/recognise.ts";
import { declaredEncoding } from "./declared.ts";
import { byMark, detectEncoding, type EncodingFinding } from "./detect.ts";
import { encodingNamed, findEncoding } from "./encodings.ts";
import { type Evidence, gatherEvidence } from "./evidence.ts";
import { readHead, stretchesOf } from "./sample.ts";

/** What was found out. */
export interface Sighting {
  /** Null: unknown. */
  recognition: Recognition | null;
  /** Null of binary formats. */
  encoding: EncodingFinding | null;
}

/** First bytes that formats are told by. */
const HEAD_BYTES = 64 * 1024;
/** A binary format that is this sure is not asked whether it could be a text. */
const sureOfBinary = 0.9;

/** What the file at `path` is. `encoding` is that of a text, where it is known. */
export async function recognise(
  path: string,
  name: string,
  options: { encoding?: string; signal: AbortSignal },
): Promise<Sighting> {
  const binary = recogniseBinary(await readHead(path, HEAD_BYTES), name);
  if (binary && binary.confidence >= sureOfBinary) return { recognition: binary, encoding: null };
  const { evidence, encoding } = await findEncodingOf(path, name, options);
  const beginning = { raw: evidence.head, head: utf8Head(evidence.head, encoding) };
  const text = recogniseText(beginning, name);
  if (binary && binary.confidence > (text?.confidence ?? 0)) {
    return { recognition: binary, encoding: null };
  }
  return { recognition: text, encoding };
}

/** The encoding of a text that is named, or found out. */
export async function findEncodingOf(
  path: string,
  name: string,
  { encoding, signal }: { encoding?: string; signal: AbortSignal },
): Promise<{ evidence: Evidence; encoding: EncodingFinding }> {
  const named = encoding === undefined ? null : encodingNamed(encoding, name);
  const evidence = await gatherEvidence(stretchesOf(path), signal);
  const marked = byMark(evidence.head);
  const found = marked ??
    (named
      ? { name: named.name, confidence: 1, by: "named" as const, markBytes: 0, runnerUp: null }
      : detectEncoding(evidence, declaredEncoding(evidence.head)));
  return { evidence, encoding: found };
}

/** The beginning of a text as UTF-8, without its mark; lenient, since it is only looked at. */
function utf8Head(head: Uint8Array, { name, markBytes }: EncodingFinding): Uint8Array {
  const plain = head.subarray(markBytes);
  if (name === "utf-8") return plain;
  const text = findEncoding(name)!.decoder(false).decode(plain, { stream: true });
  return new TextEncoder().encode(text);
}
