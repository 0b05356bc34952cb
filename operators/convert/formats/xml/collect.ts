/** @module Takes the cells of each record out of a document. */
import { isBlankText } from "./chars.ts";
import { XmlError } from "./error.ts";
import { isOpaque, type Layout } from "./layout.ts";
import type { XmlName } from "./namespaces.ts";
import type { XmlSink } from "./parser.ts";
import { isNil, type PathAttribute, type PathNode, saysNil, type Structure } from "./structure.ts";
import { innerXml, jsonOf, type TreeElement } from "./tree.ts";

/** A record's cells, by column. */
export interface CollectedRecord {
  row: number;
  cells: (string | null)[];
  offset: number;
  bytes: number;
  /** It refers to this entity, which lies outside of the document. */
  skipped: string | null;
}

/** The document has something that was not learned of: learn it all and begin again. */
export class Surprise extends Error {}

/** Characters of one record, at most, and what an element in it counts for. */
const RECORD_CHARS_MAX = 64 * 1024 * 1024;
const ELEMENT_CHARS = 16;

/** What collecting takes. */
export interface CollectOptions {
  structure: Structure;
  layout: Layout;
  /** Columns were found rather than told: what is new outside of records counts as well. */
  isFound: boolean;
  offsets(): { offset: number; endOffset: number };
  record(record: CollectedRecord): void;
}

/** Gives each record to `record`; throws {@link Surprise}. */
export class Collector implements XmlSink {
  readonly #options: CollectOptions;
  readonly #record: PathNode;
  readonly #context: (string | null)[];
  /** Of the open elements: where they are, their text, whether they hold others, have no value. */
  readonly #nodes: PathNode[] = [];
  readonly #texts: string[] = [];
  readonly #parents: boolean[] = [];
  readonly #nils: boolean[] = [];
  readonly #tree: TreeElement[] = [];
  readonly #lists = new Map<number, string[]>();
  #cells: (string | null)[] | null = null;
  #recordDepth = 0;
  #offset = 0;
  #chars = 0;
  #skipped: string | null = null;
  /** Records, elements in them, and others. */
  rows = 0;
  inside = 0;
  outside = 0;

  constructor(options: CollectOptions) {
    this.#options = options;
    this.#record = options.layout.record;
    this.#context = new Array(options.layout.columns.length).fill(null);
    options.structure.begin();
  }

  start(name: XmlName, attributes: readonly (XmlName | string)[]): void {
    const depth = this.#nodes.length;
    const parent = depth === 0 ? this.#options.structure.root : this.#nodes[depth - 1];
    if (depth > 0) this.#parents[depth - 1] = true;
    const node = this.#cells === null ? this.#outer(parent, name) : this.#inner(parent, name);
    node.instance = ++this.#options.structure.instances;
    this.#nodes.push(node);
    this.#texts.push("");
    this.#parents.push(false);
    this.#nils.push(attributes.length > 0 && saysNil(attributes));
    if (this.#tree.length > 0) return this.#branch(node, attributes);
    if (node === this.#record && this.#cells === null) this.#begin();
    if (this.#cells === null) return this.#contextAttributes(node, attributes);
    if (isOpaque(node) && (node !== this.#record || node.hasMixed)) {
      this.#branch(node, attributes);
      if (node.isRepeated && node !== this.#record) return;
    }
    this.#attributeCells(node, attributes);
  }

  text(piece: string): void {
    this.#chars += piece.length;
    if (this.#chars > RECORD_CHARS_MAX) this.#refuseLength();
    this.#texts[this.#texts.length - 1] += piece;
  }

  end(): void {
    const node = this.#nodes.pop()!;
    const text = this.#texts.pop()!;
    const isParent = this.#parents.pop()!;
    const isNil = this.#nils.pop()!;
    if (this.#cells === null) {
      this.#chars = 0;
      const { isFound, layout } = this.#options;
      // Something that records lie in has none: it would be in no row.
      if (isFound && layout.ancestors.has(node) && !node.hasRecords) throw new Surprise();
      if (node.column >= 0 && !isParent) this.#contextValue(node, isNil ? null : text);
      return;
    }
    if (this.#tree.length > 0) this.#leave(node, text, isParent);
    else if (!isNil) this.#valueCell(node, text, isParent);
    if (this.#nodes.length === this.#recordDepth) this.#finish();
  }

  skipped(entity: string): void {
    if (this.#cells !== null) {
      this.#skipped ??= entity;
      return;
    }
    if ((this.#nodes.at(-1)?.column ?? -1) < 0) return;
    throw new XmlError(
      `it refers to the entity "${entity}", which lies outside of it and is not fetched`,
      this.#options.offsets().offset,
    );
  }

  #inner(parent: PathNode, name: XmlName): PathNode {
    this.inside++;
    const node = parent.kids.get(name);
    if (node === undefined) throw new Surprise();
    if (node.metIn === parent.instance && !node.isRepeated) throw new Surprise();
    node.metIn = parent.instance;
    this.#chars += ELEMENT_CHARS;
    if (this.#chars > RECORD_CHARS_MAX) this.#refuseLength();
    return node;
  }

  #outer(parent: PathNode, name: XmlName): PathNode {
    this.outside++;
    const { structure, isFound } = this.#options;
    const known = parent.kids.get(name);
    if (known === undefined) {
      if (isFound) throw new Surprise();
      return structure.kid(parent, name);
    }
    if (known.metIn === parent.instance && !known.isRepeated && known.column >= 0) {
      throw new Surprise();
    }
    known.metIn = parent.instance;
    const columns = this.#options.layout.ancestors.get(known);
    if (columns !== undefined) {
      known.hasRecords = false;
      for (const column of columns) this.#context[column] = null;
    }
    return known;
  }

  #begin(): void {
    this.#recordDepth = this.#nodes.length - 1;
    this.#cells = this.#context.slice();
    this.#offset = this.#options.offsets().offset;
    this.#chars = 0;
    this.#skipped = null;
  }

  #finish(): void {
    const cells = this.#cells!;
    for (const [column, values] of this.#lists) cells[column] = `[${values.join(",")}]`;
    this.#lists.clear();
    const { layout, offsets, record } = this.#options;
    for (const { from, to } of layout.copies) cells[to] = cells[from];
    for (const ancestor of layout.ancestors.keys()) ancestor.hasRecords = true;
    const offset = this.#offset;
    const bytes = Math.max(0, offsets().endOffset - offset);
    this.#cells = null;
    record({ row: ++this.rows, cells, offset, bytes, skipped: this.#skipped });
  }

  #attributeCells(node: PathNode, attributes: readonly (XmlName | string)[]): void {
    for (let i = 0; i < attributes.length; i += 2) {
      const attribute = known(node, attributes[i] as XmlName);
      if (attribute) this.#cells![attribute.column] = attributes[i + 1] as string;
    }
  }

  #contextAttributes(node: PathNode, attributes: readonly (XmlName | string)[]): void {
    for (let i = 0; i < attributes.length; i += 2) {
      const name = attributes[i] as XmlName;
      const attribute = this.#options.isFound ? known(node, name) : node.attributes.get(name);
      if (!attribute || attribute.column < 0) continue;
      this.#refuseLate(node);
      this.#context[attribute.column] = attributes[i + 1] as string;
    }
  }

  #contextValue(node: PathNode, text: string | null): void {
    this.#refuseLate(node);
    if (node.kids.size === 0 || !isBlankText(text ?? "")) this.#context[node.column] = text;
  }

  /** A value that rows before it would have had to have. */
  #refuseLate(node: PathNode): void {
    const { ancestors } = this.#options.layout;
    let scope: PathNode = node;
    while (!ancestors.has(scope)) scope = scope.parent!;
    if (!scope.hasRecords) return;
    if (this.#options.isFound) {
      node.isLate = true;
      throw new Surprise();
    }
    throw new XmlError(
      `${node.path} stands behind records that should take its value; only what comes before a ` +
        `record can be a column of it`,
      this.#options.offsets().offset,
    );
  }

  #valueCell(node: PathNode, text: string, isParent: boolean): void {
    if (isParent || node.kids.size > 0) {
      if (isBlankText(text)) return;
      if (isParent) throw new Surprise();
    }
    if (node.column >= 0) this.#cells![node.column] = text;
    else if (text !== "") throw new Surprise();
  }

  /** Into a part of the record that is kept as a tree. */
  #branch(node: PathNode, attributes: readonly (XmlName | string)[]): void {
    const depth = this.#texts.length;
    let lead = "";
    if (this.#tree.length > 0) {
      lead = this.#texts[depth - 2];
      this.#texts[depth - 2] = "";
      if (!isBlankText(lead) && !this.#tree.at(-1)!.node.hasMixed) throw new Surprise();
    }
    const element: TreeElement = {
      node,
      attributes: [],
      isNil: this.#nils[depth - 1],
      lead,
      text: "",
      kids: [],
    };
    for (let i = 0; i < attributes.length; i += 2) {
      const attribute = known(node, attributes[i] as XmlName);
      if (attribute) element.attributes.push(attribute, attributes[i + 1] as string);
    }
    this.#tree.at(-1)?.kids.push(element);
    this.#tree.push(element);
  }

  #leave(node: PathNode, text: string, isParent: boolean): void {
    const element = this.#tree.pop()!;
    element.text = text;
    const isNew = isParent ? !node.hasMixed && !isBlankText(text) : text !== "" && !node.hasValue;
    if (isNew && (node.kids.size === 0 || !isBlankText(text))) throw new Surprise();
    if (this.#tree.length > 0) return;
    if (node.isRepeated && node !== this.#record) {
      const list = this.#lists.get(node.column);
      if (list) list.push(jsonOf(element));
      else this.#lists.set(node.column, [jsonOf(element)]);
    } else if (!element.isNil) this.#cells![node.column] = innerXml(element);
  }

  #refuseLength(): never {
    throw new XmlError(
      `a record, or what stands between two, is longer than ${RECORD_CHARS_MAX >> 20} million ` +
        `characters; name the records with "records" if they are smaller`,
      this.#options.offsets().offset,
    );
  }
}

function known(node: PathNode, name: XmlName): PathAttribute | null {
  const attribute = node.attributes.get(name);
  if (attribute !== undefined) return attribute;
  if (isNil(name)) return null;
  throw new Surprise();
}
