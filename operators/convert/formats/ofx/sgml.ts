/** @module OFX 1.x: SGML in which elements with a text have no end tag. */
import { AppError } from "../../../../src/model/errors.ts";
import type { OfxElement } from "./elements.ts";

/** Elements within elements, at most. */
const DEPTH_MAX = 100;

const entities: Readonly<Record<string, string>> = {
  amp: "&",
  lt: "<",
  gt: ">",
  nbsp: " ",
  quot: '"',
};

/** The root of a document. Throws CORRUPT where an aggregate does not end, or ends another. */
export function parseSgml(text: string, from: number, name: string): OfxElement {
  const fail = (why: string, at: number): never => {
    const offset = new TextEncoder().encode(text.slice(0, at)).length;
    throw new AppError("CORRUPT", `Cannot read ${name} as OFX: ${why}, at byte ${offset}`, {
      detail: { offset },
    });
  };
  const open: OfxElement[] = [];
  let root: OfxElement | null = null;
  let leaf: OfxElement | null = null;
  let at = from;
  for (const match of text.slice(from).matchAll(/<(\/?)([A-Za-z][\w.\-]*)\s*(\/?)>|<!--.*?-->/gs)) {
    const start = from + match.index;
    const between = text.slice(at, start);
    at = start + match[0].length;
    if (match[2] === undefined) continue;
    if (between.includes("<")) {
      fail('"<" begins no tag', start - between.length + between.indexOf("<"));
    }
    if (leaf && leaf.kids.length === 0 && between.trim() !== "") leaf.text = plain(between);
    else if (between.trim() !== "") {
      fail("there is text outside of an element", start - between.length);
    }
    const tag = match[2].toUpperCase();
    if (match[1] === "") {
      // An element that has a text ends where the next one begins.
      if (leaf && leaf.text !== "") open.pop();
      if (root && open.length === 0) fail(`<${tag}> stands behind the end of <${root.tag}>`, start);
      const element: OfxElement = { tag, text: "", kids: [], offset: start, endOffset: 0 };
      open.at(-1)?.kids.push(element);
      root ??= element;
      open.push(element);
      if (open.length > DEPTH_MAX) fail(`its elements are more than ${DEPTH_MAX} deep`, start);
      leaf = element;
      if (match[3] !== "") {
        open.pop();
        leaf = null;
      }
    } else {
      end(tag, start);
      leaf = null;
    }
  }
  const rest = text.slice(at);
  if (rest.trim() !== "") fail("there is more behind its last element", at);
  if (root === null) return fail("it has no element", from);
  if (open.length > 0) fail(`it ends before </${open.at(-1)!.tag}>`, text.length);
  return root;

  function end(tag: string, start: number): void {
    // Elements without a text, and those whose end is left out, end with what they are in.
    for (let element = open.pop(); element; element = open.pop()) {
      element.endOffset = at;
      if (element.tag === tag) return;
      if (element.kids.length > 0) fail(`</${tag}> stands where </${element.tag}> must`, start);
    }
    fail(`</${tag}> ends nothing`, start);
  }
}

function plain(text: string): string {
  return text.trim().replace(/&(?:#(\d{1,7})|(\w{2,5}));/g, (whole, code, name) => {
    if (code !== undefined) return Number(code) <= 0x10ffff ? String.fromCodePoint(code) : whole;
    return Object.hasOwn(entities, name) ? entities[name] : whole;
  });
}
