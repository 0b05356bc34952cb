/** @module What elements a document has, where, and which of them repeat. */
import { isBlankText } from "./chars.ts";
import { NameTable, type XmlName } from "./namespaces.ts";
import type { XmlSink } from "./parser.ts";

const XSI = "http://www.w3.org/2001/XMLSchema-instance";
/** Paths of a document, at most: names that are data make more. */
const NODES_MAX = 20_000;

/** An attribute at a path. */
export interface PathAttribute {
  /** `@` and its name. */
  label: string;
  /** Index of its column; -1 for none. */
  column: number;
  count: number;
}

/** All elements at one path. */
export class PathNode {
  readonly kids = new Map<XmlName, PathNode>();
  readonly attributes = new Map<XmlName, PathAttribute>();
  /** It came twice in one parent. */
  isRepeated = false;
  /** It had text, and no elements in it. */
  hasText = false;
  /** That text was only blanks. */
  hasBlanks = false;
  /** It had text and elements. */
  hasMixed = false;
  /** It came after records that it might have been told of. */
  isLate = false;
  /** Records were read in this instance. */
  hasRecords = false;
  /** How many there are. */
  count = 0;
  /** In how many instances of its parent. */
  holders = 0;
  /** Number of the one that was read last, among all of the document. */
  instance = 0;
  /** Index of the column of its text or of its list; -1 for none. */
  column = -1;
  /** The parent's `instance` in which it was met last. */
  metIn = -1;

  constructor(
    readonly label: string,
    readonly parent: PathNode | null,
    /** By order of first appearance in the document. */
    readonly order: number,
  ) {}

  /** Its path, from the root. */
  get path(): string {
    return this.parent === null ? "" : `${this.parent.path}/${this.label}`;
  }

  /** Is it a text in a column, or part of one? */
  get hasValue(): boolean {
    return this.hasText || this.hasMixed ||
      (this.kids.size === 0 && (this.hasBlanks || this.attributes.size === 0));
  }

  /** Attributes and texts in it, in all of the document. */
  get values(): number {
    let sum = this.hasValue && !this.hasMixed ? this.count : 0;
    for (const { count } of this.attributes.values()) sum += count;
    for (const kid of this.kids.values()) sum += kid.values;
    return sum;
  }
}

/** Paths of one document, from what was read of it. */
export class Structure {
  readonly root = new PathNode("", null, 0);
  /** Names of the document, the same in all passes over it. */
  readonly names = new NameTable();
  /** Elements that were read, over all passes. */
  instances = 0;
  #nodes = 0;

  /** Count anew, for a pass that learns from the document's beginning. */
  recount(node = this.root): void {
    node.count = 0;
    node.holders = 0;
    for (const attribute of node.attributes.values()) attribute.count = 0;
    for (const kid of node.kids.values()) this.recount(kid);
  }

  /** A pass over the document begins. */
  begin(): void {
    this.root.instance = ++this.instances;
  }

  /** The node of an element in another. */
  kid(parent: PathNode, name: XmlName): PathNode {
    const known = parent.kids.get(name);
    if (known !== undefined) return known;
    if (++this.#nodes > NODES_MAX) throw new TooManyPaths();
    const node = new PathNode(labelOf(name, parent.kids), parent, this.#nodes);
    parent.kids.set(name, node);
    return node;
  }

  /** The attribute of an element; null for those that say how to read it. */
  attribute(node: PathNode, name: XmlName): PathAttribute | null {
    const known = node.attributes.get(name);
    if (known !== undefined) return known;
    if (isNil(name)) return null;
    const attribute = { label: `@${labelOf(name, node.attributes)}`, column: -1, count: 0 };
    node.attributes.set(name, attribute);
    return attribute;
  }
}

/** More paths than a document of records has. */
export class TooManyPaths extends Error {}

/** Is it the attribute that says that an element has no value? */
export function isNil(name: XmlName): boolean {
  return name.local === "nil" && name.uri === XSI;
}

/** Do attributes say so? */
export function saysNil(attributes: readonly (XmlName | string)[]): boolean {
  for (let i = 0; i < attributes.length; i += 2) {
    if (isNil(attributes[i] as XmlName)) {
      const value = (attributes[i + 1] as string).trim();
      return value === "true" || value === "1";
    }
  }
  return false;
}

/** The name without its prefix, unless a sibling of another namespace is called so. */
function labelOf(name: XmlName, siblings: ReadonlyMap<XmlName, unknown>): string {
  for (const sibling of siblings.keys()) {
    if (sibling.local === name.local) return `${name.prefix || `{${name.uri}}`}:${name.local}`;
  }
  return name.local;
}

interface Open {
  node: PathNode;
  hasKids: boolean;
  hasText: boolean;
  hasBlanks: boolean;
}

/** Learns the structure of what it is told. */
export class Learner implements XmlSink {
  readonly #structure: Structure;
  readonly #open: Open[] = [];

  constructor(structure: Structure) {
    this.#structure = structure;
    structure.recount();
    structure.begin();
  }

  start(name: XmlName, attributes: readonly (XmlName | string)[]): void {
    const parent = this.#open.at(-1);
    if (parent) parent.hasKids = true;
    const above = parent?.node ?? this.#structure.root;
    const node = this.#structure.kid(above, name);
    if (node.metIn === above.instance) node.isRepeated = true;
    else node.holders++;
    node.metIn = above.instance;
    node.instance = ++this.#structure.instances;
    node.count++;
    for (let i = 0; i < attributes.length; i += 2) {
      const attribute = this.#structure.attribute(node, attributes[i] as XmlName);
      if (attribute) attribute.count++;
    }
    this.#open.push({ node, hasKids: false, hasText: false, hasBlanks: false });
  }

  text(piece: string): void {
    const open = this.#open.at(-1)!;
    if (open.hasText) return;
    if (isBlankText(piece)) open.hasBlanks = true;
    else open.hasText = true;
  }

  end(): void {
    const { node, hasKids, hasText, hasBlanks } = this.#open.pop()!;
    if (hasText) {
      if (hasKids) node.hasMixed = true;
      else node.hasText = true;
    } else if (hasBlanks && !hasKids) node.hasBlanks = true;
  }

  skipped(): void {}
}
