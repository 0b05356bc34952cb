/** @module Which element of a document is the record: as it was told, or the one that repeats. */
import { AppError } from "../../../../src/model/errors.ts";
import type { PathNode, Structure } from "./structure.ts";

/** Share of a document's values that its table has, at least. */
const TABLE_SHARE_MIN = 0.5;
/** A second table that has this share of the first one's values makes it a guess. */
const RIVAL_SHARE_MIN = 0.5;
const RIVAL_ROWS_MIN = 3;
/** A table within a record takes its place when it has nearly all of its values. */
const INNER_SHARE_MIN = 0.8;

/** All nodes that a path names: `/a/b/c` from the root, `//c` anywhere. */
export function nodesAt(structure: Structure, path: string): PathNode[] {
  const isAnywhere = path.startsWith("//");
  const steps = path.slice(isAnywhere ? 2 : 1).split("/").map(withoutPredicate);
  const from = isAnywhere ? [...descendants(structure.root)] : [structure.root];
  if (isAnywhere) from.push(structure.root);
  return [
    ...new Set(
      from.flatMap((node) =>
        steps.reduce<PathNode[]>(
          (nodes, step) => nodes.flatMap((each) => kidsNamed(each, step)),
          [node],
        )
      ),
    ),
  ];
}

/** The node that was asked for. Null when there is none yet; throws INVALID when there are several. */
export function recordsAt(structure: Structure, path: string, name: string): PathNode | null {
  const nodes = nodesAt(structure, path);
  if (nodes.length <= 1) return nodes[0] ?? null;
  throw new AppError(
    "INVALID",
    `Cannot read ${name}: "records" is ${path}, and elements of that name are at ${
      nodes.map((node) => node.path).join(", ")
    }; give the whole path of one`,
  );
}

/** Says that nothing is at the path that was told. */
export function noRecords(structure: Structure, path: string, name: string): AppError {
  const paths = [...descendants(structure.root)].map((node) => node.path).slice(0, 20);
  return new AppError(
    "CORRUPT",
    `Cannot read ${name} as XML: there is no element at ${path}, where its records should be; it ` +
      `has ${paths.join(", ")}`,
  );
}

/**
 * The element that repeats and has most of the values; the root when nothing does. Throws INVALID
 * when two of them could be meant. `isWhole`: was the whole document read?
 */
export function findRecords(structure: Structure, isWhole: boolean, name: string): PathNode {
  const [root] = structure.root.kids.values();
  const found = repeatedIn(root).map((node) => ({ node, values: node.values }))
    .toSorted((a, b) => b.values - a.values);
  const [best, rival] = found;
  if (best === undefined) return root;
  const isSmall = best.values < TABLE_SHARE_MIN * root.values;
  // What has no fields is a list in a record rather than a table.
  if (isWhole && (isSmall || (isPlain(best.node) && root.attributes.size > 0))) {
    if (!isRival(best, rival)) return root;
  }
  if (isRival(best, rival)) {
    const list = found.slice(0, 8).map(({ node }) => `${node.path} (${node.count})`);
    throw new AppError(
      "INVALID",
      `Cannot tell which elements of ${name} are its records: ${list.join(", ")}; name them with ` +
        `"records", as in records: "${best.node.path}"`,
    );
  }
  return innermost(best.node, isWhole);
}

function isRival(
  best: { node: PathNode; values: number },
  rival: { node: PathNode; values: number } | undefined,
): boolean {
  return rival !== undefined && rival.values >= RIVAL_SHARE_MIN * best.values &&
    Math.min(best.node.count, rival.node.count) >= RIVAL_ROWS_MIN && !isPlain(rival.node) &&
    !isPlain(best.node);
}

/** Into a record's own table, while that is nearly all of it. */
function innermost(node: PathNode, isWhole: boolean): PathNode {
  const all = node.values;
  const inner = repeatedIn(node).find((each) =>
    !isPlain(each) && each.values >= INNER_SHARE_MIN * all && each.count >= 2 * node.count &&
    isInEvery(each, node, isWhole)
  );
  return inner === undefined ? node : innermost(inner, isWhole);
}

/** Has every instance of a node some of these? One without would be lost. */
function isInEvery(inner: PathNode, node: PathNode, isWhole: boolean): boolean {
  // What the last window of a sample cut may still get its own.
  const cut = isWhole ? 0 : 1;
  for (let each = inner; each !== node; each = each.parent!) {
    if (each.holders < each.parent!.count - cut) return false;
  }
  return true;
}

/** The outermost repeated elements below a node. */
function repeatedIn(node: PathNode): PathNode[] {
  return [...node.kids.values()].flatMap((kid) => kid.isRepeated ? [kid] : repeatedIn(kid));
}

function isPlain(node: PathNode): boolean {
  return node.attributes.size === 0 && node.kids.size === 0;
}

function* descendants(node: PathNode): Generator<PathNode> {
  for (const kid of node.kids.values()) {
    yield kid;
    yield* descendants(kid);
  }
}

function kidsNamed(node: PathNode, step: string): PathNode[] {
  const local = step.slice(step.indexOf(":") + 1);
  return [...node.kids].filter(([name, kid]) =>
    step === "*" || kid.label === step || (step === local && name.local === local) ||
    (name.local === local && step === `${name.prefix}:${name.local}`)
  ).map(([, kid]) => kid);
}

function withoutPredicate(step: string): string {
  return step.replaceAll("~1", "/").replaceAll("~0", "~");
}
