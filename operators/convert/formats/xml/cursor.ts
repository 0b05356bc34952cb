/** @module Where a document is being read: its window, entities within it, and what is wrong there. */
import { illegalAt, isBlank } from "./chars.ts";
import { Declarations, type Entity } from "./entities.ts";
import { XmlError } from "./error.ts";
import type { XmlInput } from "./input.ts";

/** Thrown where the window ends in the middle of something, which is then read again from its start. */
export const needMore = Symbol("more");

/** What is read on with when an entity's text has ended. */
interface Level {
  text: string;
  at: number;
  end: number;
  /** Elements that were open when the entity began. */
  depth: number;
  entity: Entity;
}

/** A place in a document. */
export class XmlCursor {
  protected readonly input: XmlInput;
  protected declarations = new Declarations();
  /** The text that is read: the document's window, or that of an entity. */
  protected text: string;
  protected at = 0;
  protected end: number;
  /** Where the token begins that is read, in the document itself. */
  protected tokenAt = 0;
  protected readonly levels: Level[] = [];

  constructor(input: XmlInput) {
    this.input = input;
    this.text = input.text;
    this.end = input.text.length;
  }

  /** Offset in the file of the token that is told of. */
  get offset(): number {
    return this.input.offsetOf(this.tokenAt);
  }

  /** Offset of what follows it. */
  get endOffset(): number {
    return this.input.offsetOf(this.levels.length === 0 ? this.at : this.levels[0].at);
  }

  /** The next window, from the token on. */
  protected refill(): void {
    this.input.more(this.tokenAt);
    this.text = this.input.text;
    this.end = this.text.length;
    this.at = 0;
    this.tokenAt = 0;
  }

  protected mark(): void {
    if (this.levels.length === 0) this.tokenAt = this.at;
  }

  protected is(word: string): boolean {
    return this.text.startsWith(word, this.at);
  }

  protected skipBlanks(): void {
    while (this.at < this.end && isBlank(this.text.charCodeAt(this.at))) this.at++;
  }

  /** Have this many characters at hand, or all that there are. */
  protected atLeast(chars: number): void {
    if (this.end - this.at >= chars || this.levels.length > 0 || this.input.isEnd) return;
    throw needMore;
  }

  protected find(word: string, from: number, of: string): number {
    const at = this.text.indexOf(word, from);
    if (at < 0) this.need(of);
    return at;
  }

  protected legal(from: number, to: number): void {
    const bad = illegalAt(this.text.slice(from, to), this.declarations.is11);
    if (bad >= 0) this.fail("there is a character that no document may have", from + bad);
  }

  /** The text ends in the middle of something. */
  protected need(of: string): never {
    const level = this.levels.at(-1);
    if (level !== undefined) this.fail(`the entity "${level.entity.name}" ends within ${of}`);
    if (!this.input.isEnd) throw needMore;
    this.fail(`it ends within ${of}`, this.end);
  }

  protected fail(why: string, at = this.at): never {
    // Inside of an entity, the place is where the document refers to it.
    const [level] = this.levels;
    if (level === undefined) {
      throw new XmlError(why, this.input.offsetOf(Math.min(at, this.end)));
    }
    throw new XmlError(
      `in the entity "${level.entity.name}", ${why}`,
      this.input.offsetOf(this.tokenAt),
    );
  }
}
