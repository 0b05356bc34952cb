/** @module Parts of a record that are no columns: repeated ones as JSON, mixed ones as their XML. */
import { isBlankText } from "./chars.ts";
import type { PathAttribute, PathNode } from "./structure.ts";

/** An element as it was read. */
export interface TreeElement {
  node: PathNode;
  /** Attributes and values in turn. */
  attributes: (PathAttribute | string)[];
  isNil: boolean;
  /** Text of its parent in front of it. */
  lead: string;
  /** Text behind its last element; all of it when it has none. */
  text: string;
  kids: TreeElement[];
}

/**
 * Its JSON: a text where elements of its path have nothing but text, else an object with `@name` for
 * attributes and `#text`. What repeats is an array, also where it came once.
 */
export function jsonOf(element: TreeElement): string {
  const { node, attributes, kids, isNil, text } = element;
  if (isNil) return "null";
  const own = node.hasMixed ? innerXml(element) : kids.length === 0 ? text : "";
  if (node.attributes.size === 0 && (node.kids.size === 0 || node.hasMixed)) {
    return JSON.stringify(own);
  }
  const members: string[] = [];
  for (let i = 0; i < attributes.length; i += 2) {
    members.push(member((attributes[i] as PathAttribute).label, JSON.stringify(attributes[i + 1])));
  }
  if (!node.hasMixed) {
    for (const kid of new Set(kids.map((each) => each.node))) {
      const values = kids.filter((each) => each.node === kid).map(jsonOf);
      members.push(member(kid.label, kid.isRepeated ? `[${values.join(",")}]` : values[0]));
    }
  }
  const isText = node.kids.size === 0 || node.hasMixed ? own !== "" : !isBlankText(own);
  if (isText) members.push(member("#text", JSON.stringify(own)));
  return `{${members.join(",")}}`;
}

function member(name: string, json: string): string {
  return `${JSON.stringify(name)}:${json}`;
}

/** What stands between its tags, as XML: text and elements in their order. */
export function innerXml({ kids, text }: TreeElement): string {
  return kids.map((kid) => escaped(kid.lead) + outerXml(kid)).join("") +
    (kids.length === 0 ? text : escaped(text));
}

function outerXml(element: TreeElement): string {
  const { node, attributes, kids, text } = element;
  let tag = `<${node.label}`;
  for (let i = 0; i < attributes.length; i += 2) {
    const value = escaped(attributes[i + 1] as string).replaceAll('"', "&quot;");
    tag += ` ${(attributes[i] as PathAttribute).label.slice(1)}="${value}"`;
  }
  if (kids.length === 0 && text === "") return `${tag}/>`;
  const inner = kids.length === 0 ? escaped(text) : innerXml(element);
  return `${tag}>${inner}</${node.label}>`;
}

function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}
