/** @module The shape of a JSON document: what is in what, how many, without the values. */
import { kinds, needsMore, ValueReader } from "./value_reader.ts";
import { Window, type WindowOptions } from "./window.ts";

/** What a value looks like. */
export interface Shape {
  /** One of `kinds`. */
  kind: number;
  /** Elements or members, all of them. */
  count: number;
  /** Kinds of all elements or members, as bits. */
  inside: number;
  /** The first members. */
  members: Map<string, Shape>;
  /** The first elements. */
  elements: Shape[];
}

/** Elements and members of one value that are looked into; the others are only counted. */
const LOOKED_INTO = { elements: 8, members: 256 } as const;
/** Deeper values are not looked into. */
const DEPTH_MAX = 12;

/** The shape of the whole document. Throws CORRUPT where it is broken. */
export function shapeOf(options: WindowOptions): Shape {
  const reader = new ValueReader();
  const window = new Window(reader, options);
  if (window.blank() === -1) throw window.corrupt(window.offset, "there is nothing");
  const shape = new Shaper(window).value(0);
  if (window.blank() !== -1) {
    throw window.corrupt(window.offset, "something follows the document's end");
  }
  return shape;
}

class Shaper {
  readonly #window: Window;

  constructor(window: Window) {
    this.#window = window;
  }

  value(depth: number): Shape {
    const byte = this.#window.blank();
    if (byte !== 0x7b && byte !== 0x5b) return scalar(this.#skip());
    if (depth === DEPTH_MAX) return scalar(this.#skip());
    return this.#nested(byte, depth);
  }

  #nested(open: number, depth: number): Shape {
    const window = this.#window;
    const { reader } = window;
    const isObject = open === 0x7b;
    const shape = scalar(isObject ? kinds.object : kinds.array);
    const close = open + 2;
    window.at++;
    if (window.blank() === close) {
      window.at++;
      return shape;
    }
    reader.outer++;
    const most = isObject ? LOOKED_INTO.members : LOOKED_INTO.elements;
    while (true) {
      const name = isObject ? this.#window.name() : "";
      if (shape.count < most) {
        const inside = this.value(depth + 1);
        shape.inside |= 1 << inside.kind;
        if (isObject) shape.members.set(name, inside);
        else shape.elements.push(inside);
      } else {
        window.blank();
        shape.inside |= 1 << this.#skip();
      }
      shape.count++;
      window.go((at) => reader.separator(at, close));
      const isLast = reader.buffer[window.at] === close;
      window.at++;
      if (isLast) break;
      window.blank();
    }
    reader.outer--;
    return shape;
  }

  /** Go past the value that begins here, of any length; its kind. */
  #skip(): number {
    const window = this.#window;
    const { reader } = window;
    const byte = reader.buffer[window.at];
    try {
      window.at = reader.value(window.at);
      return reader.kind;
    } catch (error) {
      const isNested = byte === 0x7b || byte === 0x5b;
      if (error === needsMore && isNested) return this.#nested(byte, 0).kind;
      window.go((at) => reader.value(at));
      return reader.kind;
    }
  }
}

function scalar(kind: number): Shape {
  return { kind, count: 0, inside: 0, members: new Map(), elements: [] };
}
