/** @module Which attribute or element of a record becomes which column. */
import { AppError } from "../../../../src/model/errors.ts";
import { nodesAt } from "./choose.ts";
import type { PathAttribute, PathNode, Structure } from "./structure.ts";

/** Columns of the records of a document. */
export interface Layout {
  record: PathNode;
  columns: string[];
  /** Columns that take what another one has, by index. */
  copies: { from: number; to: number }[];
  /** The record's ancestors, and by each the columns that are filled anew with it. */
  ancestors: Map<PathNode, number[]>;
}

/** What to lay out. */
export interface LayoutOptions {
  /** JSON pointers, from the document's root, that are wanted as columns. */
  pointers: readonly string[];
  /** Take what the record's ancestors say before it, too. */
  withAncestors: boolean;
  /** Of the file, for messages. */
  name: string;
}

/** Lay out; `column` of nodes and attributes says where a value goes. */
export function layOut(
  structure: Structure,
  record: PathNode,
  { pointers, withAncestors, name }: LayoutOptions,
): Layout {
  forget(structure.root);
  const columns: string[] = [];
  const add = (column: string) => columns.push(column) - 1;
  layOutNode(record, record.label, "", add, true);
  const layout: Layout = { record, columns, copies: [], ancestors: new Map() };
  const chain: PathNode[] = [];
  for (let node = record.parent; node !== null; node = node.parent) {
    layout.ancestors.set(node, []);
    chain.push(node);
  }
  if (withAncestors) {
    for (const [i, ancestor] of chain.entries()) {
      const fields = layout.ancestors.get(ancestor)!;
      layOutBefore(ancestor, { record, prefix: "../".repeat(i + 1), chain, add, fields });
    }
  }
  for (const pointer of pointers) layOutPointer(structure, layout, pointer, name);
  return layout;
}

/** Can all pointers be laid out by what is known? */
export function areKnown(structure: Structure, pointers: readonly string[]): boolean {
  return pointers.every((pointer) => targetOf(structure, pointer) !== null);
}

function forget(node: PathNode): void {
  node.column = -1;
  for (const attribute of node.attributes.values()) attribute.column = -1;
  for (const kid of node.kids.values()) forget(kid);
}

/** Is it one value of its record, whatever is in it? */
export function isOpaque(node: PathNode): boolean {
  return node.isRepeated || node.hasMixed;
}

function layOutNode(
  node: PathNode,
  name: string,
  prefix: string,
  add: (column: string) => number,
  isRecord = false,
): void {
  if (node.isRepeated && !isRecord) {
    node.column = add(name);
    return;
  }
  for (const attribute of node.attributes.values()) {
    attribute.column = add(prefix + attribute.label);
  }
  if (node.hasValue) node.column = add(name);
  if (node.hasMixed) return;
  for (const kid of node.kids.values()) {
    layOutNode(kid, prefix + kid.label, `${prefix}${kid.label}/`, add);
  }
}

interface Before {
  record: PathNode;
  prefix: string;
  /** Ancestors of the record. */
  chain: PathNode[];
  add: (column: string) => number;
  fields: number[];
}

/** Attributes of an ancestor, and what is single in it and stands before the record. */
function layOutBefore(node: PathNode, before: Before): void {
  const { record, prefix, chain, add, fields } = before;
  for (const attribute of node.attributes.values()) {
    attribute.column = add(prefix + attribute.label);
    fields.push(attribute.column);
  }
  for (const kid of node.kids.values()) {
    const isPassed = chain.includes(kid) || kid === record || isOpaque(kid) || kid.isLate ||
      kid.order > record.order;
    if (isPassed) continue;
    if (kid.hasValue) fields.push(kid.column = add(prefix + kid.label));
    layOutBefore(kid, { ...before, prefix: `${prefix}${kid.label}/` });
  }
}

type Target = { node: PathNode; attribute: PathAttribute | null };

function targetOf(structure: Structure, pointer: string): Target | null {
  const at = pointer.lastIndexOf("/");
  const last = pointer.slice(at + 1);
  if (!last.startsWith("@")) {
    const [node] = nodesAt(structure, pointer);
    return node === undefined ? null : { node, attribute: null };
  }
  const [node] = at === 0 ? [structure.root] : nodesAt(structure, pointer.slice(0, at));
  const attribute = [...node?.attributes.values() ?? []].find(({ label }) => label === last);
  return attribute === undefined ? null : { node, attribute };
}

function layOutPointer(
  structure: Structure,
  layout: Layout,
  pointer: string,
  name: string,
): void {
  const target = targetOf(structure, pointer);
  if (target === null) return;
  const holder = target.attribute ?? target.node;
  const scope = scopeOf(target.node, layout);
  for (let node = target.node; node !== scope; node = node.parent!) {
    const isWhole = node === target.node && target.attribute === null && scope === layout.record;
    if (isOpaque(node) && !isWhole) {
      throw new AppError(
        "INVALID",
        `Cannot take ${pointer} of ${name} as a column: ${node.path} repeats, so a record has not ` +
          `one value there`,
      );
    }
  }
  if (holder.column < 0) {
    holder.column = layout.columns.push(pointer) - 1;
    layout.ancestors.get(scope)?.push(holder.column);
  } else {
    layout.copies.push({ from: holder.column, to: layout.columns.push(pointer) - 1 });
  }
}

/** The record, or the innermost of its ancestors, that a node lies in. */
function scopeOf(node: PathNode, { record, ancestors }: Layout): PathNode {
  let each: PathNode = node;
  while (each !== record && !ancestors.has(each)) each = each.parent!;
  return each;
}
