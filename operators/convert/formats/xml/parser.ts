/**
 * @module Reads a document of XML 1.0 (fifth edition) or 1.1 with namespaces, as a non-validating
 * processor: everything that is not well-formed is refused, nothing outside of it is fetched.
 * Memory is one window of its text, whatever its length.
 */
import { illegalAt, isBlank, nameEnd, plainLines, textStop, valueStop } from "./chars.ts";
import { readDoctype } from "./dtd.ts";
import { needMore, XmlCursor } from "./cursor.ts";
import { characterOf, Declarations, tokensOf } from "./entities.ts";
import type { XmlInput } from "./input.ts";
import { isDeclaration, NamespaceScope, NameTable, twiceIn, type XmlName } from "./namespaces.ts";
import {
  AMPERSAND,
  CARRIAGE_RETURN,
  CLOSING_BRACKET,
  DOUBLE_QUOTE,
  EQUALS,
  EXCLAMATION,
  GREATER,
  HASH,
  LESS,
  QUESTION,
  SEMICOLON,
  SINGLE_QUOTE,
  SLASH,
} from "./signs.ts";

/** What a document is told to. */
export interface XmlSink {
  /** An element begins. Attributes are names and values in turn; the array is used again. */
  start(name: XmlName, attributes: readonly (XmlName | string)[]): void;
  /** Text, a piece at a time, with references replaced. */
  text(piece: string): void;
  end(): void;
  /** A reference to an entity that lies outside of the document, which nothing is known of. */
  skipped(entity: string): void;
}

/** Elements within elements, at most. */
const DEPTH_MAX = 1024;

/** Reads one document, a window at a time. */
export class XmlParser extends XmlCursor {
  readonly #sink: XmlSink;
  #phase: "start" | "prolog" | "content" | "end" | "done" = "start";
  #hasDoctype = false;
  readonly #open: string[] = [];
  readonly #scopes: NamespaceScope[];
  readonly #raw: string[] = [];
  readonly #attributes: (XmlName | string)[] = [];

  /** `names` may be those of another pass over the same document. */
  constructor(input: XmlInput, sink: XmlSink, names = new NameTable()) {
    super(input);
    this.#scopes = [new NamespaceScope(names)];
    this.#sink = sink;
  }

  /** Read a window; false once the document has ended. Throws XmlError. */
  advance(): boolean {
    try {
      while (this.#phase !== "done") this.#step();
      return false;
    } catch (error) {
      if (error !== needMore) throw error;
      this.refill();
      return true;
    }
  }

  /** The namespace that a prefix means at this point. */
  uriOf(prefix: string): string | undefined {
    return this.#scopes[this.#scopes.length - 1].uri(prefix);
  }

  #step(): void {
    if (this.#phase === "content") return this.#content();
    if (this.#phase === "start") this.#declaration();
    this.mark();
    this.skipBlanks();
    this.mark();
    if (this.at >= this.end) return this.#endOfInput();
    if (this.text.charCodeAt(this.at) !== LESS) {
      this.fail(
        this.#phase === "prolog"
          ? "it does not begin with an element"
          : "there is text behind its last element",
      );
    }
    this.atLeast(9);
    if (this.is("<!--")) return this.#comment();
    if (this.is("<?")) return this.#instruction();
    if (this.#phase === "prolog" && this.is("<!DOCTYPE")) return this.#doctype();
    if (this.#phase === "end") this.fail("there is more behind its last element");
    this.#startTag();
  }

  #endOfInput(): void {
    if (!this.input.isEnd) throw needMore;
    if (this.#phase === "prolog") this.fail("it ends before its first element");
    this.#phase = "done";
  }

  /** Text up to the next markup, and that. */
  #content(): void {
    const text = this.text;
    const end = this.end;
    const from = this.at;
    const stop = textStop(text, from, end);
    if (stop > from) this.#piece(text, from, stop);
    this.at = stop;
    this.mark();
    if (stop >= end) return this.#endOfText();
    const code = text.charCodeAt(stop);
    if (code === LESS) return this.#markup();
    if (code === AMPERSAND) return this.#reference();
    if (code === CARRIAGE_RETURN) return this.#lineEnd();
    if (code !== CLOSING_BRACKET) this.fail("there is a character that no document may have");
    if (stop + 2 >= end) this.atLeast(3);
    if (this.is("]]>")) this.fail('"]]>" stands in a text; it is written "]]&gt;"');
    this.#sink.text("]");
    this.at++;
  }

  #piece(text: string, from: number, to: number): void {
    const piece = text.slice(from, to);
    if (this.declarations.is11) return this.#sink.text(this.#plain11(piece, from));
    this.#sink.text(piece);
  }

  #plain11(piece: string, from: number): string {
    const bad = illegalAt(piece, true);
    // What a reference of an entity's text has brought may be any character.
    if (bad >= 0 && this.levels.length === 0) {
      this.fail("there is a control character that is not written as a reference", from + bad);
    }
    return plainLines(piece, true);
  }

  #endOfText(): void {
    const level = this.levels.at(-1);
    if (level === undefined) {
      if (!this.input.isEnd) throw needMore;
      this.fail(`it ends before </${this.#open.at(-1)}>`);
    }
    if (this.#open.length !== level.depth) {
      this.fail(`the entity "${level.entity.name}" ends before </${this.#open.at(-1)}>`);
    }
    this.declarations.leave(level.entity);
    this.levels.pop();
    this.text = level.text;
    this.at = level.at;
    this.end = level.end;
    this.mark();
  }

  #lineEnd(): void {
    // In the text of an entity it can only come from a reference, and means itself.
    if (this.levels.length > 0) {
      this.at++;
      return this.#sink.text("\r");
    }
    if (this.at + 1 >= this.end) this.atLeast(2);
    const next = this.text.charCodeAt(this.at + 1);
    this.at += next === 10 || (next === 0x85 && this.declarations.is11) ? 2 : 1;
    this.#sink.text("\n");
  }

  #reference(): void {
    const { name, end } = this.#readReference();
    const from = this.at;
    const fail = (why: string): never => this.fail(why, from);
    this.at = end;
    if (name.charCodeAt(0) === HASH) {
      return this.#sink.text(characterOf(name, this.declarations.is11, fail));
    }
    const character = this.declarations.predefined(name);
    if (character !== undefined) return this.#sink.text(character);
    const entity = this.declarations.entity(name, fail);
    if (entity === undefined || entity.text === null) return this.#sink.skipped(name);
    this.declarations.enter(entity, this.input.bytes, fail);
    this.levels.push({
      text: this.text,
      at: this.at,
      end: this.end,
      depth: this.#open.length,
      entity,
    });
    this.text = entity.text;
    this.at = 0;
    this.end = entity.text.length;
  }

  #readReference() {
    const text = this.text;
    let end = this.at + 1;
    const limit = Math.min(this.end, this.at + 4096);
    while (end < limit && text.charCodeAt(end) !== SEMICOLON) end++;
    if (end === this.end) {
      // Only a reference that may go on is worth more text.
      if (/^&(#x?[0-9a-fA-F]*|[^\s<&;#]+)?$/.test(text.slice(this.at, end))) {
        this.need("a reference");
      }
    }
    return this.declarations.reference(text, this.at, this.end, (why) => this.fail(why));
  }

  #markup(): void {
    const next = this.at + 1 < this.end ? this.text.charCodeAt(this.at + 1) : 0;
    if (next === SLASH) return this.#endTag();
    if (next === EXCLAMATION) {
      this.atLeast(9);
      if (this.is("<!--")) return this.#comment();
      if (this.is("<![CDATA[")) return this.#characterData();
      this.fail('"<!" begins neither a comment nor a CDATA section');
    }
    if (next === QUESTION) return this.#instruction();
    if (next === 0) this.need("markup");
    this.#startTag();
  }

  #startTag(): void {
    const text = this.text;
    const end = this.end;
    const from = this.at + 1;
    let at = nameEnd(text, from, end);
    if (at >= end) this.need("a start tag");
    if (at === from) this.fail('"<" begins no element; as a character it is written "&lt;"');
    const name = text.slice(from, at);
    this.#raw.length = 0;
    let isEmpty = false;
    while (true) {
      const blankFrom = at;
      while (at < end && isBlank(text.charCodeAt(at))) at++;
      if (at >= end) this.need("a start tag");
      const code = text.charCodeAt(at);
      if (code === GREATER) break;
      if (code === SLASH) {
        if (at + 1 >= end) this.need("a start tag");
        if (text.charCodeAt(++at) !== GREATER) this.fail('"/" stands in a start tag', at - 1);
        isEmpty = true;
        break;
      }
      if (at === blankFrom) {
        this.fail(`there is no blank where the name of <${name}>, or of its attribute, ends`, at);
      }
      at = this.#attribute(name, at);
    }
    this.at = at + 1;
    this.#begin(name, isEmpty);
  }

  /** One attribute at `at`; where it ends. */
  #attribute(element: string, at: number): number {
    const text = this.text;
    const end = this.end;
    let i = nameEnd(text, at, end);
    if (i >= end) this.need("a start tag");
    if (i === at) this.fail(`in <${element}>, the name of an attribute must stand here`, at);
    const name = text.slice(at, i);
    while (i < end && isBlank(text.charCodeAt(i))) i++;
    if (i < end && text.charCodeAt(i) !== EQUALS) {
      this.fail(`the attribute "${name}" of <${element}> has no value`, i);
    }
    i++;
    while (i < end && isBlank(text.charCodeAt(i))) i++;
    if (i >= end) this.need("a start tag");
    const quote = text.charCodeAt(i);
    if (quote !== DOUBLE_QUOTE && quote !== SINGLE_QUOTE) {
      this.fail(`the value of "${name}" in <${element}> is not in quotes`, i);
    }
    const from = ++i;
    i = valueStop(text, from, end);
    let value: string;
    if (i < end && text.charCodeAt(i) === quote) value = text.slice(from, i);
    else {
      i = this.#valueEnd(name, quote, i);
      value = this.#value(text.slice(from, i), from);
    }
    this.#raw.push(name, value);
    return i + 1;
  }

  #valueEnd(name: string, quote: number, at: number): number {
    for (let i = at; i < this.end; i++) {
      const code = this.text.charCodeAt(i);
      if (code === quote) return i;
      if (code === LESS) this.fail(`"<" stands in the value of "${name}"; it is written "&lt;"`, i);
    }
    this.need("a start tag");
  }

  #value(raw: string, from: number): string {
    const bad = illegalAt(raw, this.declarations.is11 && this.levels.length === 0);
    if (bad >= 0) this.fail("there is a character that no document may have", from + bad);
    const lines = this.levels.length > 0 ? raw : plainLines(raw, this.declarations.is11);
    const fail = (why: string): never => this.fail(why, from);
    return this.declarations.attributeValue(lines, this.input.bytes, fail);
  }

  #begin(name: string, isEmpty: boolean): void {
    this.#phase = "content";
    if (this.#open.length >= DEPTH_MAX) {
      this.fail(`its elements lie within each other more than ${DEPTH_MAX} deep`, this.tokenAt);
    }
    if (this.declarations.attributes.size > 0) this.#addDefaults(name);
    const raw = this.#raw;
    const attributes = this.#attributes;
    attributes.length = 0;
    let scope = this.#scopes[this.#scopes.length - 1];
    const fail = this.#failHere;
    if (raw.length > 0) {
      if (raw.length > 2) this.#refuseTwice(raw, name);
      scope = scope.within(raw, this.declarations.is11, fail);
      for (let i = 0; i < raw.length; i += 2) {
        if (isDeclaration(raw[i])) continue;
        attributes.push(scope.attribute(raw[i], fail), raw[i + 1]);
      }
      if (attributes.length > 2) this.#refuseTwice(attributes, name);
    }
    this.#sink.start(scope.element(name, fail), attributes);
    if (isEmpty) {
      this.#sink.end();
      if (this.#open.length === 0) this.#phase = "end";
      return;
    }
    this.#open.push(name);
    this.#scopes.push(scope);
  }

  #addDefaults(name: string): void {
    const definitions = this.declarations.attributes.get(name);
    if (definitions === undefined) return;
    const raw = this.#raw;
    const given = new Set<string>();
    for (let i = 0; i < raw.length; i += 2) {
      given.add(raw[i]);
      if (definitions.get(raw[i])?.isTokens) raw[i + 1] = tokensOf(raw[i + 1]);
    }
    for (const definition of definitions.values()) {
      if (definition.defaultValue === null || given.has(definition.name)) continue;
      const { name, defaultValue } = definition;
      this.declarations.charge(name.length + defaultValue.length, this.input.bytes, this.#failHere);
      raw.push(name, defaultValue);
    }
  }

  #refuseTwice(attributes: readonly (XmlName | string)[], element: string): void {
    const name = twiceIn(attributes);
    if (name !== null) {
      this.fail(`the attribute "${name}" stands twice in <${element}>`, this.tokenAt);
    }
  }

  #endTag(): void {
    const text = this.text;
    const end = this.end;
    const depth = this.#open.length;
    const name = this.#open[depth - 1];
    const level = this.levels.at(-1);
    if (level !== undefined && depth === level.depth) {
      this.fail(`the entity "${level.entity.name}" ends an element that it has not begun`);
    }
    let at = this.at + 2 + name.length;
    if (!text.startsWith(name, this.at + 2)) this.#wrongEnd(name);
    while (at < end && isBlank(text.charCodeAt(at))) at++;
    if (at >= end) this.need("an end tag");
    if (text.charCodeAt(at) !== GREATER) this.#wrongEnd(name);
    this.at = at + 1;
    this.#open.pop();
    this.#scopes.pop();
    this.#sink.end();
    if (depth === 1) this.#phase = "end";
  }

  #wrongEnd(expected: string): never {
    const from = this.at + 2;
    const end = nameEnd(this.text, from, this.end);
    if (end >= this.end) this.need("an end tag");
    this.fail(`</${this.text.slice(from, end)}> stands where </${expected}> must`);
  }

  #comment(): void {
    const end = this.find("--", this.at + 4, "a comment");
    if (end + 2 >= this.end) this.need("a comment");
    if (this.text.charCodeAt(end + 2) !== GREATER) this.fail('"--" stands in a comment', end);
    this.legal(this.at + 4, end);
    this.at = end + 3;
  }

  #instruction(): void {
    const from = this.at + 2;
    const end = nameEnd(this.text, from, this.end);
    if (end >= this.end) this.need("a processing instruction");
    if (end === from) this.fail("a processing instruction has no name");
    if (this.text.slice(from, end).toLowerCase() === "xml") {
      this.fail("<?xml stands elsewhere than at the very beginning");
    }
    const close = this.find("?>", end, "a processing instruction");
    if (close > end && !isBlank(this.text.charCodeAt(end))) {
      this.fail("there is no blank after the name of a processing instruction", end);
    }
    this.legal(end, close);
    this.at = close + 2;
  }

  #characterData(): void {
    const from = this.at + 9;
    const end = this.find("]]>", from, "a CDATA section");
    this.legal(from, end);
    if (end > from) {
      this.#sink.text(plainLines(this.text.slice(from, end), this.declarations.is11));
    }
    this.at = end + 3;
  }

  #doctype(): void {
    if (this.#hasDoctype) this.fail("it has two document type declarations");
    // A declaration that the window has cut is read again from its start.
    const { is11, isStandalone } = this.declarations;
    this.declarations = Object.assign(new Declarations(), { is11, isStandalone });
    this.at = readDoctype(
      {
        text: this.text,
        end: this.end,
        more: () => this.need("its document type declaration"),
        fail: (why, at) => this.fail(why, at),
        documentBytes: () => this.input.bytes,
      },
      this.at,
      this.declarations,
    );
    this.#hasDoctype = true;
  }

  /** `<?xml version="1.0" encoding="UTF-8" standalone="yes"?>`, when it begins so. */
  #declaration(): void {
    this.atLeast(6);
    this.#phase = "prolog";
    if (!this.is("<?xml") || !isBlank(this.text.charCodeAt(5))) return;
    const end = this.text.indexOf("?>");
    if (end < 0) {
      this.#phase = "start";
      if (this.end > 4096) this.fail("its XML declaration has no end");
      this.need("its XML declaration");
    }
    const text = this.text.slice(5, end);
    const match = xmlDeclaration.exec(text);
    if (match === null) this.fail(`its XML declaration is none: <?xml${text.slice(0, 100)}?>`);
    const { version, standalone } = match!.groups!;
    this.declarations.is11 = /1\.1/.test(version);
    this.declarations.isStandalone = /yes/.test(standalone ?? "");
    this.at = end + 2;
  }

  readonly #failHere = (why: string): never => this.fail(why, this.tokenAt);
}

const xmlDeclaration = new RegExp(
  String.raw`^\s+version\s*=\s*(?<version>"1\.[0-9]+"|'1\.[0-9]+')` +
    String.raw`(?:\s+encoding\s*=\s*(?:"[A-Za-z][\w.\-]*"|'[A-Za-z][\w.\-]*'))?` +
    String.raw`(?:\s+standalone\s*=\s*(?<standalone>"(?:yes|no)"|'(?:yes|no)'))?\s*$`,
);
