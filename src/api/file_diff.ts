/** @module Which files differ between two bundles, with unified diffs of texts, within bounds. */
import { createTwoFilesPatch } from "diff";
import type { Bundle, BundleFiles } from "../contract/bundle.ts";

/** One file that differs. */
export interface FileDiff {
  path: string;
  change: "added" | "removed" | "changed";
  /** Unified diff; null where {@link FileDiff.noDiff} says why there is none. */
  diff: string | null;
  noDiff: string | null;
}

/** Characters of all diffs of one answer; diffs that no longer fit are left out, whole. */
const DIFF_CHARACTERS_MAX = 256 * 1024;
/** Largest file that is compared line by line. */
const TEXT_BYTES_MAX = 256 * 1024;
/** Files that are compared line by line. */
const TEXTS_MAX = 50;
/** Lines added and removed, past which the search for the shortest diff would take seconds. */
const EDITS_MAX = 4_000;

/** Compare two bundles, by path. */
export function diffFiles(before: Bundle, after: Bundle): FileDiff[] {
  const old = new Map(before.manifest.map(({ path, sha256 }) => [path, sha256]));
  const now = new Map(after.manifest.map(({ path, sha256 }) => [path, sha256]));
  const paths = [...new Set([...old.keys(), ...now.keys()])].sort()
    .filter((path) => old.get(path) !== now.get(path));
  let room = DIFF_CHARACTERS_MAX;
  return paths.map((path, i) => {
    const change = !old.has(path) ? "added" : !now.has(path) ? "removed" : "changed";
    const found = i < TEXTS_MAX
      ? patchOf(path, before.files, after.files)
      : { noDiff: `only the first ${TEXTS_MAX} files are compared line by line` };
    if (!("diff" in found)) return { path, change, diff: null, noDiff: found.noDiff };
    if (found.diff.length > room) {
      const noDiff = `all diffs together are longer than ${DIFF_CHARACTERS_MAX} characters`;
      return { path, change, diff: null, noDiff };
    }
    room -= found.diff.length;
    return { path, change, diff: found.diff, noDiff: null };
  });
}

function patchOf(
  path: string,
  before: BundleFiles,
  after: BundleFiles,
): { diff: string } | { noDiff: string } {
  const sides = [before.get(path), after.get(path)];
  if (sides.some((data) => data && data.length > TEXT_BYTES_MAX)) {
    return { noDiff: `the file is larger than ${TEXT_BYTES_MAX} bytes` };
  }
  const [a, b] = sides.map((data) => data ? textOf(data) : "");
  if (a === null || b === null) return { noDiff: "the file is not text" };
  const names = [sides[0] ? `a/${path}` : "/dev/null", sides[1] ? `b/${path}` : "/dev/null"];
  const diff = createTwoFilesPatch(names[0], names[1], a, b, undefined, undefined, {
    context: 3,
    maxEditLength: EDITS_MAX,
  });
  return diff === undefined
    ? { noDiff: `more than ${EDITS_MAX} lines differ` }
    : { diff: diff.replace(/^=+\n/, "") };
}

/** Null for what is not UTF-8 text. */
function textOf(data: Uint8Array): string | null {
  if (data.includes(0)) return null;
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(data);
  } catch {
    return null;
  }
}
