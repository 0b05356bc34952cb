/** @module Elements of OFX, whichever way they are written. */

/** An element. */
export interface OfxElement {
  tag: string;
  text: string;
  kids: OfxElement[];
  /** In characters of the text. */
  offset: number;
  endOffset: number;
}

/** The first element at a path of tags. */
export function at(element: OfxElement | null, path: string): OfxElement | null {
  let found = element;
  for (const tag of path.split("/")) {
    found = found?.kids.find((kid) => kid.tag === tag) ?? null;
  }
  return found;
}

/** The text at the first of these paths that has one. */
export function textAt(element: OfxElement | null, ...paths: string[]): string | null {
  for (const path of paths) {
    const found = at(element, path);
    if (found && found.kids.length === 0 && found.text !== "") return found.text;
  }
  return null;
}

/** Every element of one of these tags in another. */
export function* all(element: OfxElement, tags: ReadonlySet<string>): Generator<OfxElement> {
  if (tags.has(element.tag)) yield element;
  for (const kid of element.kids) yield* all(kid, tags);
}
