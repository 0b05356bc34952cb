/** @module Reads a document type declaration: every rule of its grammar, nothing from outside. */
import { illegalAt, isBlank, nameEnd, nmtokenEnd, plainLines } from "./chars.ts";
import { characterOf, type Declarations, type Entity, tokensOf } from "./entities.ts";

/** Where a declaration is read from. */
export interface DtdSource {
  text: string;
  /** Where the text ends, as far as it is at hand. */
  end: number;
  /** Goes on where the text ends in the middle; throws. */
  more(): never;
  fail(why: string, at: number): never;
  documentBytes(): number;
}

/** A content model of parentheses within each other, at most. */
const MODEL_DEPTH_MAX = 200;

const attributeTypes = [
  "CDATA",
  "IDREFS",
  "IDREF",
  "ID",
  "ENTITIES",
  "ENTITY",
  "NMTOKENS",
  "NMTOKEN",
];

/** Reads `<!DOCTYPE …>` at `at`; where it ends. What it declares goes into `declarations`. */
export function readDoctype(source: DtdSource, at: number, declarations: Declarations): number {
  const reader = new DtdReader(source, at, declarations);
  reader.doctype();
  return reader.at;
}

class DtdReader {
  readonly #source: DtdSource;
  readonly #text: string;
  readonly #end: number;
  readonly #declarations: Declarations;
  at: number;

  constructor(source: DtdSource, at: number, declarations: Declarations) {
    this.#source = source;
    this.#text = source.text;
    this.#end = source.end;
    this.#declarations = declarations;
    this.at = at;
  }

  doctype(): void {
    this.#expect("<!DOCTYPE");
    this.#blanks("before the name of the document type");
    this.#name("the document type");
    if (this.#skipBlanks() && (this.#is("SYSTEM") || this.#is("PUBLIC"))) {
      this.#externalId(false);
      this.#declarations.isPartial = true;
      this.#skipBlanks();
    }
    if (this.#take("[")) {
      this.declarations("]");
      this.#expect("]");
      this.#skipBlanks();
    }
    this.#expect(">");
  }

  /** Declarations until `closing`, or until the text ends when it is null. */
  declarations(closing: "]" | null): void {
    while (true) {
      this.#skipBlanks();
      if (this.at >= this.#end) {
        if (closing === null) return;
        this.#source.more();
      }
      if (closing !== null && this.#text[this.at] === closing) return;
      if (this.#text[this.at] === "%") this.#parameter();
      else this.#declaration();
    }
  }

  #declaration(): void {
    if (this.#take("<!--")) return this.#comment();
    if (this.#take("<?")) return this.#instruction();
    if (this.#take("<!ELEMENT")) return this.#element();
    if (this.#take("<!ATTLIST")) return this.#attributeList();
    if (this.#take("<!ENTITY")) return this.#entity();
    if (this.#take("<!NOTATION")) return this.#notation();
    this.#fail("what stands among its declarations is none");
  }

  #comment(): void {
    const end = this.#find("--");
    this.#legal(this.at, end);
    this.at = end + 2;
    if (this.#peek() !== ">") this.#fail('"--" stands in a comment');
    this.at++;
  }

  #instruction(): void {
    const from = this.at;
    const target = this.#name("a processing instruction");
    if (target.toLowerCase() === "xml") this.#fail('an instruction is named "xml"', from);
    if (!this.#take("?>")) {
      this.#blanks("after the name of a processing instruction");
      const end = this.#find("?>");
      this.#legal(this.at, end);
      this.at = end + 2;
    }
  }

  #element(): void {
    this.#blanks("after <!ELEMENT");
    this.#name("an element");
    this.#blanks("before the content of an element");
    if (!this.#take("EMPTY") && !this.#take("ANY")) this.#contentModel();
    this.#skipBlanks();
    this.#expect(">");
  }

  #contentModel(): void {
    this.#expect("(");
    this.#skipBlanks();
    if (!this.#take("#PCDATA")) {
      this.#group(1);
      return this.#occurrence();
    }
    let names = 0;
    for (this.#skipBlanks(); this.#take("|"); this.#skipBlanks()) {
      this.#skipBlanks();
      this.#name("an element");
      names++;
    }
    this.#expect(")");
    if (!this.#take("*") && names > 0) this.#fail('mixed content ends with ")*"');
  }

  /** Behind its opening parenthesis. */
  #group(depth: number): void {
    if (depth > MODEL_DEPTH_MAX) {
      this.#fail(`a content model is more than ${MODEL_DEPTH_MAX} parentheses deep`);
    }
    let separator: string | null = null;
    while (true) {
      this.#skipBlanks();
      if (this.#take("(")) this.#group(depth + 1);
      else this.#name("an element");
      this.#occurrence();
      this.#skipBlanks();
      if (this.#take(")")) return;
      const sign = this.#peek();
      if ((sign !== "|" && sign !== ",") || (separator !== null && sign !== separator)) {
        this.#fail("a content model is parts between which stand all commas, or all bars");
      }
      separator = sign;
      this.at++;
    }
  }

  #occurrence(): void {
    if ("?*+".includes(this.#peek())) this.at++;
  }

  #attributeList(): void {
    this.#blanks("after <!ATTLIST");
    const element = this.#name("an element");
    while (true) {
      const isApart = this.#skipBlanks();
      if (this.#take(">")) return;
      if (!isApart) this.#fail("there is no blank before the name of an attribute");
      this.#attribute(element);
    }
  }

  #attribute(element: string): void {
    const name = this.#name("an attribute");
    this.#blanks("after the name of an attribute");
    const isTokens = this.#attributeType();
    this.#blanks("before the default of an attribute");
    let defaultValue: string | null = null;
    if (!this.#take("#REQUIRED") && !this.#take("#IMPLIED")) {
      if (this.#take("#FIXED")) this.#blanks("after #FIXED");
      const at = this.at;
      const raw = this.#literal("the default of an attribute");
      const value = this.#declarations.attributeValue(
        raw,
        this.#source.documentBytes(),
        (why) => this.#fail(why, at),
      );
      defaultValue = isTokens ? tokensOf(value) : value;
    }
    this.#declarations.declareAttribute(element, { name, isTokens, defaultValue });
  }

  /** True for types whose values are tokens. */
  #attributeType(): boolean {
    const type = attributeTypes.find((each) => this.#take(each));
    if (type !== undefined) return type !== "CDATA";
    const isNotation = this.#take("NOTATION");
    if (isNotation) this.#blanks("after NOTATION");
    this.#expect("(");
    do {
      this.#skipBlanks();
      if (isNotation) this.#name("a notation");
      else this.#nmtoken();
      this.#skipBlanks();
    } while (this.#take("|"));
    this.#expect(")");
    return true;
  }

  #entity(): void {
    this.#blanks("after <!ENTITY");
    const isParameter = this.#take("%");
    if (isParameter) this.#blanks('after "%"');
    const name = this.#name("an entity");
    this.#blanks("after the name of an entity");
    const entity: Entity = { name, text: null, isUnparsed: false, isOpen: false };
    if (this.#is('"') || this.#is("'")) entity.text = this.#entityValue();
    else {
      this.#externalId(false);
      const isApart = this.#skipBlanks();
      if (!isParameter && isApart && this.#take("NDATA")) {
        this.#blanks("after NDATA");
        this.#name("a notation");
        entity.isUnparsed = true;
      }
    }
    this.#skipBlanks();
    this.#expect(">");
    this.#declarations.declare(entity, isParameter);
  }

  /** Its text: references to characters replaced, those to entities kept. */
  #entityValue(): string {
    const at = this.at;
    const raw = plainLines(this.#literal("the text of an entity"), this.#declarations.is11);
    const fail = (why: string) => this.#fail(why, at);
    return raw.replace(/%|&(?:#[0-9a-zA-Z]*;?|[^;&]*;?)/g, (found) => {
      if (found === "%") {
        return fail('"%" stands in the text of an entity, where no parameter entity may');
      }
      const { name, end } = this.#declarations.reference(found, 0, found.length, fail);
      if (name[0] !== "#") return found;
      return characterOf(name, this.#declarations.is11, fail) + found.slice(end);
    });
  }

  #notation(): void {
    this.#blanks("after <!NOTATION");
    this.#name("a notation");
    this.#blanks("after the name of a notation");
    this.#externalId(true);
    this.#skipBlanks();
    this.#expect(">");
  }

  #externalId(isNotation: boolean): void {
    if (this.#take("SYSTEM")) {
      this.#blanks("after SYSTEM");
      this.#literal("a system identifier");
      return;
    }
    if (!this.#take("PUBLIC")) this.#fail("SYSTEM or PUBLIC must stand here");
    this.#blanks("after PUBLIC");
    const at = this.at;
    const id = this.#literal("a public identifier");
    if (!/^[ \r\na-zA-Z0-9\-'()+,./:=?;!*#@$_%]*$/.test(id)) {
      this.#fail("a public identifier has a character that none may have", at);
    }
    const isApart = this.#skipBlanks();
    const hasMore = this.#is('"') || this.#is("'");
    if (isNotation && !hasMore) return;
    if (!isApart) this.#fail("there is no blank before the system identifier");
    this.#literal("a system identifier");
  }

  /** `%name;`: what it stands for is read as declarations, when it is at hand. */
  #parameter(): void {
    const at = this.at;
    const end = nameEnd(this.#text, at + 1, this.#end);
    if (end >= this.#end) this.#source.more();
    if (end === at + 1 || this.#text[end] !== ";") {
      this.#fail('"%" begins no reference to a parameter entity');
    }
    const name = this.#text.slice(at + 1, end);
    this.at = end + 1;
    const entity = this.#declarations.parameters.get(name);
    if (entity === undefined) {
      const { isPartial, isStandalone } = this.#declarations;
      if (!isPartial || isStandalone) {
        this.#fail(`the parameter entity "${name}" is not declared`, at);
      }
    }
    if (entity === undefined || entity.text === null) {
      this.#declarations.isPartial = true;
      this.#declarations.isCut = true;
      return;
    }
    this.#declarations.enter(entity, this.#source.documentBytes(), (why) => this.#fail(why, at));
    const fail = (why: string): never => this.#fail(`in the entity "${name}", ${why}`, at);
    const inner: DtdSource = {
      text: entity.text,
      end: entity.text.length,
      more: () => fail("a declaration is not complete"),
      fail,
      documentBytes: this.#source.documentBytes,
    };
    new DtdReader(inner, 0, this.#declarations).declarations(null);
    this.#declarations.leave(entity);
  }

  // Signs and names.

  #fail(why: string, at = this.at): never {
    return this.#source.fail(why, at);
  }

  #peek(): string {
    if (this.at >= this.#end) this.#source.more();
    return this.#text[this.at];
  }

  /** Does this word come next? More is read where the text ends within it. */
  #is(word: string): boolean {
    const { length } = word;
    if (this.at + length > this.#end && word.startsWith(this.#text.slice(this.at, this.#end))) {
      this.#source.more();
    }
    return this.#text.startsWith(word, this.at);
  }

  #take(word: string): boolean {
    if (!this.#is(word)) return false;
    this.at += word.length;
    return true;
  }

  #expect(word: string): void {
    if (!this.#take(word)) this.#fail(`"${word}" must stand here`);
  }

  #skipBlanks(): boolean {
    const from = this.at;
    while (this.at < this.#end && isBlank(this.#text.charCodeAt(this.at))) this.at++;
    return this.at > from;
  }

  #blanks(where: string): void {
    if (!this.#skipBlanks()) {
      if (this.at >= this.#end) this.#source.more();
      this.#fail(`there is no blank ${where}`);
    }
  }

  #name(of: string): string {
    const end = nameEnd(this.#text, this.at, this.#end);
    if (end >= this.#end) this.#source.more();
    if (end === this.at) this.#fail(`the name of ${of} must stand here`);
    const name = this.#text.slice(this.at, end);
    this.at = end;
    return name;
  }

  #nmtoken(): void {
    const end = nmtokenEnd(this.#text, this.at, this.#end);
    if (end >= this.#end) this.#source.more();
    if (end === this.at) this.#fail("a value that an attribute may have must stand here");
    this.at = end;
  }

  #literal(what: string): string {
    const quote = this.#peek();
    if (quote !== '"' && quote !== "'") this.#fail(`${what} must stand here, in quotes`);
    const from = this.at + 1;
    this.at = from;
    const end = this.#find(quote);
    this.#legal(from, end);
    this.at = end + 1;
    return this.#text.slice(from, end);
  }

  #find(sign: string): number {
    const at = this.#text.indexOf(sign, this.at);
    if (at < 0 || at + sign.length > this.#end) this.#source.more();
    return at;
  }

  #legal(from: number, to: number): void {
    const bad = illegalAt(this.#text.slice(from, to), this.#declarations.is11);
    if (bad >= 0) this.#fail("there is a character that no document may have", from + bad);
  }
}
