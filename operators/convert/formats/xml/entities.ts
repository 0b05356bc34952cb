/** @module What a document declares of itself, and its references: nothing is ever fetched. */
import { isReferable, nameEnd } from "./chars.ts";

/** An entity as it was declared. */
export interface Entity {
  name: string;
  /** Its text with character references replaced; null when it lies outside of the document. */
  text: string | null;
  /** Declared with NDATA: not text at all. */
  isUnparsed: boolean;
  /** Is it being read just now? */
  isOpen: boolean;
}

/** An attribute of an element as it was declared. */
export interface AttributeDefinition {
  name: string;
  /** Its value is tokens: blanks at the ends fall away, runs of them become one. */
  isTokens: boolean;
  defaultValue: string | null;
}

/** Tells what is wrong; `at` is where the reference stands. */
export type Fail = (why: string, at?: number) => never;

/** Entities within entities. */
const DEPTH_MAX = 40;
/** Characters that entities may become before their ratio to the document counts. */
const EXPANDED_MIN = 8 * 1024 * 1024;
const EXPANDED_RATIO_MAX = 100;

const predefined: Readonly<Record<string, string>> = {
  lt: "<",
  gt: ">",
  amp: "&",
  apos: "'",
  quot: '"',
};

/** Entities and attributes of one document. */
export class Declarations {
  readonly entities = new Map<string, Entity>();
  readonly parameters = new Map<string, Entity>();
  readonly attributes = new Map<string, Map<string, AttributeDefinition>>();
  /** Parts of the declarations lie outside of the document and were not read. */
  isPartial = false;
  /** One of those parts would have come before what follows now, which then does not count. */
  isCut = false;
  isStandalone = false;
  is11 = false;
  #expanded = 0;
  #depth = 0;

  /** The first declaration of an entity counts. */
  declare(entity: Entity, isParameter: boolean): void {
    if (this.isCut && !this.isStandalone) return;
    const into = isParameter ? this.parameters : this.entities;
    if (!into.has(entity.name)) into.set(entity.name, entity);
  }

  /** The first declaration of an attribute counts. */
  declareAttribute(element: string, definition: AttributeDefinition): void {
    if (this.isCut && !this.isStandalone) return;
    const known = this.attributes.get(element);
    if (known === undefined) this.attributes.set(element, new Map([[definition.name, definition]]));
    else if (!known.has(definition.name)) known.set(definition.name, definition);
  }

  /** The text of one of the five entities that every document has; undefined for others. */
  predefined(name: string): string | undefined {
    return Object.hasOwn(predefined, name) ? predefined[name] : undefined;
  }

  /**
   * The entity of a reference. Undefined: it may be declared where nothing was read, so that nobody
   * can say what it stands for.
   */
  entity(name: string, fail: Fail): Entity | undefined {
    const entity = this.entities.get(name);
    if (entity === undefined) {
      if (this.isPartial && !this.isStandalone) return undefined;
      fail(`the entity "${name}" is not declared`);
    }
    if (entity!.isUnparsed) fail(`the entity "${name}" is no text: it is declared with NDATA`);
    return entity;
  }

  /** Begin to read the text of an entity. */
  enter(entity: Entity, documentBytes: number, fail: Fail): void {
    if (entity.isOpen) fail(`the entity "${entity.name}" refers to itself`);
    if (this.#depth === DEPTH_MAX) {
      fail(`entities lie within each other more than ${DEPTH_MAX} deep`);
    }
    this.charge(entity.text!.length, documentBytes, fail);
    entity.isOpen = true;
    this.#depth++;
  }

  /** Count characters that declarations bring into the document where it does not have them. */
  charge(chars: number, documentBytes: number, fail: Fail): void {
    this.#expanded += chars + 16;
    if (this.#expanded <= EXPANDED_MIN) return;
    if (this.#expanded <= EXPANDED_RATIO_MAX * documentBytes) return;
    fail(
      `its entities and defaults stand for more than ${EXPANDED_RATIO_MAX} times the text that it ` +
        `has, as in an attack`,
    );
  }

  /** End it. */
  leave(entity: Entity): void {
    entity.isOpen = false;
    this.#depth--;
  }

  /**
   * The value of an attribute by what stands between its quotes: references replaced, every blank a
   * space.
   */
  attributeValue(raw: string, documentBytes: number, fail: Fail): string {
    let value = "";
    let from = 0;
    for (const match of raw.matchAll(/[&<\t\n\r]/g)) {
      const at = match.index;
      if (at < from) continue;
      value += raw.slice(from, at);
      if (match[0] === "<") fail('"<" stands in a value of an attribute; it is written "&lt;"');
      if (match[0] !== "&") {
        value += " ";
        from = at + 1;
        continue;
      }
      const { name, end } = this.reference(raw, at, raw.length, fail);
      from = end;
      value += name[0] === "#"
        ? characterOf(name, this.is11, fail)
        : this.predefined(name) ?? this.#valueOf(name, documentBytes, fail);
    }
    return value + raw.slice(from);
  }

  /** A reference that begins at `at`: its name, `#60` or `#x3c` for a character. */
  reference(
    text: string,
    at: number,
    limit: number,
    fail: Fail,
  ): { name: string; end: number } {
    const end = text[at + 1] === "#"
      ? numberEnd(text, at + 2, limit)
      : nameEnd(text, at + 1, limit);
    if (end >= limit || text[end] !== ";" || end === at + 1) {
      fail('"&" begins no reference; as a character it is written "&amp;"');
    }
    return { name: text.slice(at + 1, end), end: end + 1 };
  }

  #valueOf(name: string, documentBytes: number, fail: Fail): string {
    const entity = this.entity(name, fail);
    if (entity === undefined) return `&${name};`;
    if (entity.text === null) {
      fail(`the entity "${name}" lies outside of the document, and a value refers to it`);
    }
    this.enter(entity, documentBytes, fail);
    const value = this.attributeValue(entity.text!, documentBytes, fail);
    this.leave(entity);
    return value;
  }
}

/** The character of `#60` or `#x3c`. */
export function characterOf(name: string, is11: boolean, fail: Fail): string {
  const code = name[1] === "x" ? parseInt(name.slice(2), 16) : Number(name.slice(1));
  if (name.length < (name[1] === "x" ? 3 : 2) || !isReferable(code, is11)) {
    fail(`the reference "&${name};" names no character that a document may have`);
  }
  return String.fromCodePoint(code);
}

function numberEnd(text: string, at: number, end: number): number {
  const isHex = text[at] === "x";
  let i = isHex ? at + 1 : at;
  const digit = isHex ? /[0-9a-fA-F]/ : /[0-9]/;
  while (i < end && digit.test(text[i])) i++;
  return i;
}

/** A value that is tokens, as readers see it. */
export function tokensOf(value: string): string {
  return value.replace(/ +/g, " ").replace(/^ | $/g, "");
}
