/** @module What a file is packed in, by its first bytes. */

/** What is unpacked. */
export type ContainerKind = "gzip" | "zstd" | "bzip2" | "xz" | "zip" | "tar";

/** Bytes that {@link containerOf} looks at. */
export const kindBytes = 512;

/** The container that the first bytes are of; null: none. */
export function containerOf(head: Uint8Array): ContainerKind | null {
  return magics.find(({ bytes }) => startsWith(head, bytes))?.kind ?? (isTar(head) ? "tar" : null);
}

/** The container that is known and not unpacked; null: none. */
export function foreignContainerOf(head: Uint8Array): string | null {
  return foreign.find(({ bytes }) => startsWith(head, bytes))?.name ?? null;
}

const magics: readonly { kind: ContainerKind; bytes: (number | null)[] }[] = [
  { kind: "gzip", bytes: [0x1f, 0x8b, 8] },
  { kind: "zstd", bytes: [0x28, 0xb5, 0x2f, 0xfd] },
  { kind: "bzip2", bytes: [0x42, 0x5a, 0x68, null, 0x31, 0x41, 0x59, 0x26, 0x53, 0x59] },
  { kind: "bzip2", bytes: [0x42, 0x5a, 0x68, null, 0x17, 0x72, 0x45, 0x38, 0x50, 0x90] },
  { kind: "xz", bytes: [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0] },
  { kind: "zip", bytes: [0x50, 0x4b, 3, 4] },
  { kind: "zip", bytes: [0x50, 0x4b, 5, 6] },
  { kind: "zip", bytes: [0x50, 0x4b, 7, 8] },
  // Frames that readers skip, before or instead of those with data.
  ...Array.from({ length: 16 }, (_, i) => ({
    kind: "zstd" as const,
    bytes: [0x50 + i, 0x2a, 0x4d, 0x18],
  })),
];

const foreign: readonly { name: string; bytes: (number | null)[] }[] = [
  { name: "a 7z archive", bytes: [0x37, 0x7a, 0xbc, 0xaf, 0x27, 0x1c] },
  { name: "a RAR archive", bytes: [0x52, 0x61, 0x72, 0x21, 0x1a, 7] },
  { name: "a Cabinet archive", bytes: [0x4d, 0x53, 0x43, 0x46, 0, 0, 0, 0] },
  { name: "LZ4", bytes: [0x04, 0x22, 0x4d, 0x18] },
  { name: "LZW (compress)", bytes: [0x1f, 0x9d] },
  { name: "lzip", bytes: [0x4c, 0x5a, 0x49, 0x50, 1] },
  { name: "framed Snappy", bytes: [0xff, 6, 0, 0, 0x73, 0x4e, 0x61, 0x50, 0x70, 0x59] },
  { name: "a PDF document", bytes: [0x25, 0x50, 0x44, 0x46, 0x2d] },
];

function startsWith(head: Uint8Array, bytes: readonly (number | null)[]): boolean {
  return head.length >= bytes.length &&
    bytes.every((byte, i) => byte === null || head[i] === byte);
}

/** A header whose sum is right: also that of archives before the magic was agreed on. */
function isTar(head: Uint8Array): boolean {
  if (head.length < 512 || head[0] === 0) return false;
  const text = new TextDecoder("windows-1252").decode(head.subarray(148, 156));
  const stated = /^ *([0-7]+)[\0 ]*$/.exec(text)?.[1];
  if (stated === undefined) return false;
  let sum = 0;
  for (let i = 0; i < 512; i++) sum += i >= 148 && i < 156 ? 0x20 : head[i];
  return sum === parseInt(stated, 8);
}
