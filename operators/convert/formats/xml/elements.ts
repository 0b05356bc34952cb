/** @module Elements of a document as trees, for formats that know what they look for. */
import { isBlankText } from "./chars.ts";
import { XmlError } from "./error.ts";
import type { XmlName } from "./namespaces.ts";
import type { XmlParser, XmlSink } from "./parser.ts";
import { saysNil } from "./structure.ts";

/** An element and what is in it. */
export interface XmlElement {
  name: XmlName;
  /** Names and values in turn. */
  attributes: readonly (XmlName | string)[];
  /** All text in it that is not in elements of it. */
  text: string;
  kids: XmlElement[];
  parent: XmlElement | null;
  /** Where it begins in the file; its end is known when it has ended. */
  offset: number;
  endOffset: number;
  isNil: boolean;
}

/** Characters that are kept at one time, at most. */
const KEPT_CHARS_MAX = 128 * 1024 * 1024;
/** Of elements themselves, in characters' worth. */
const ELEMENT_CHARS = 64;

/** What a stream of elements is told to. */
export interface ElementHandler {
  /** An element has begun: its attributes are known, its content is not. */
  began?(element: XmlElement): void;
  /**
   * An element has ended, with all that is in it. `drop`: it is done with, let go of it; `keep`: it
   * stays in its parent.
   */
  ended(element: XmlElement): "keep" | "drop";
}

/** Builds trees of elements, as long as they are kept. */
export class ElementSink implements XmlSink {
  readonly #handler: ElementHandler;
  readonly #parser: () => XmlParser;
  #current: XmlElement | null = null;
  #chars = 0;
  /** Characters that were kept when each open element began. */
  readonly #before: number[] = [];

  constructor(handler: ElementHandler, parser: () => XmlParser) {
    this.#handler = handler;
    this.#parser = parser;
  }

  start(name: XmlName, attributes: readonly (XmlName | string)[]): void {
    const element: XmlElement = {
      name,
      attributes: attributes.length === 0 ? none : attributes.slice(),
      text: "",
      kids: [],
      parent: this.#current,
      offset: this.#parser().offset,
      endOffset: 0,
      isNil: attributes.length > 0 && saysNil(attributes),
    };
    this.#before.push(this.#chars);
    this.#keep(ELEMENT_CHARS * (1 + attributes.length));
    this.#current?.kids.push(element);
    this.#current = element;
    this.#handler.began?.(element);
  }

  text(piece: string): void {
    const current = this.#current!;
    if (current.kids.length > 0 && isBlankText(piece)) return;
    this.#keep(piece.length);
    current.text += piece;
  }

  end(): void {
    const element = this.#current!;
    element.endOffset = this.#parser().endOffset;
    this.#current = element.parent;
    const before = this.#before.pop()!;
    if (element.kids.length > 0 && isBlankText(element.text)) element.text = "";
    if (this.#handler.ended(element) === "drop") {
      element.parent?.kids.pop();
      this.#chars = before;
    }
  }

  skipped(entity: string): void {
    throw new XmlError(
      `it refers to the entity "${entity}", which lies outside of it and is not fetched`,
      this.#parser().offset,
    );
  }

  #keep(chars: number): void {
    this.#chars += chars;
    if (this.#chars <= KEPT_CHARS_MAX) return;
    throw new XmlError(
      `one of its parts is longer than ${KEPT_CHARS_MAX >> 20} million characters`,
      this.#parser().offset,
    );
  }
}

const none: readonly (XmlName | string)[] = [];

/** The value of an attribute without namespace; null when there is none. */
export function attributeOf(element: XmlElement, local: string): string | null {
  const { attributes } = element;
  for (let i = 0; i < attributes.length; i += 2) {
    if ((attributes[i] as XmlName).local === local) return attributes[i + 1] as string;
  }
  return null;
}

/** The first kid of that name. */
export function kidOf(element: XmlElement | null, local: string): XmlElement | null {
  return element?.kids.find(({ name }) => name.local === local) ?? null;
}

/** All kids of that name. */
export function kidsOf(element: XmlElement | null, local: string): XmlElement[] {
  return element?.kids.filter(({ name }) => name.local === local) ?? [];
}

/** The first element at a path of names. */
export function elementAt(element: XmlElement | null, path: string): XmlElement | null {
  let at = element;
  for (const step of path.split("/")) at = kidOf(at, step);
  return at;
}

/** All elements at a path. */
export function elementsAt(element: XmlElement | null, path: string): XmlElement[] {
  let at = element === null ? [] : [element];
  for (const step of path.split("/")) at = at.flatMap((each) => kidsOf(each, step));
  return at;
}

/** The text at the first of these paths that has one; null when none does. */
export function textAt(element: XmlElement | null, ...paths: string[]): string | null {
  for (const path of paths) {
    const found = elementAt(element, path);
    if (found !== null && !found.isNil && found.kids.length === 0) return found.text;
  }
  return null;
}

/** The element as JSON: `@name` for attributes, `#text`, arrays for what comes more than once. */
export function elementJson(element: XmlElement): string {
  return JSON.stringify(valueOf(element));
}

function valueOf(element: XmlElement): unknown {
  if (element.isNil) return null;
  if (element.kids.length === 0 && element.attributes.length === 0) return element.text;
  const members: Record<string, unknown> = Object.create(null);
  for (let i = 0; i < element.attributes.length; i += 2) {
    members[`@${(element.attributes[i] as XmlName).local}`] = element.attributes[i + 1];
  }
  for (const kid of element.kids) {
    const { local } = kid.name;
    const value = valueOf(kid);
    if (!(local in members)) members[local] = value;
    else if (Array.isArray(members[local])) (members[local] as unknown[]).push(value);
    else members[local] = [members[local], value];
  }
  if (element.text !== "") members["#text"] = element.text;
  return members;
}
