/** @module Doc comments of the members of an object or interface, read from its source. */

/** One member with its comment. */
export interface MemberDoc {
  name: string;
  /** That of the member before it where it has none of its own. */
  doc: string;
}

/** Members indented by two spaces between the line that holds `opening` and the next `}`. */
export function memberDocs(source: string, opening: string): MemberDoc[] {
  const lines = source.split("\n");
  const first = lines.findIndex((line) => line.includes(opening));
  if (first < 0) throw new Error(`Cannot read doc comments: no line has "${opening}"`);
  const members: MemberDoc[] = [];
  let doc: string | null = null;
  let comment: string[] | null = null;
  for (const line of lines.slice(first + 1)) {
    if (line.startsWith("}")) break;
    const text = line.trim();
    if (text.startsWith("/**")) comment = [];
    if (comment) {
      comment.push(text.replace(/^\/\*\*\s?|^\*(?!\/)\s?|\s*\*\/$/g, ""));
      if (!text.endsWith("*/")) continue;
      doc = comment.join(" ").trim();
      comment = null;
      continue;
    }
    const name = /^ {2}(\w+)\??:/.exec(line)?.[1];
    if (name === undefined) continue;
    members.push({ name, doc: doc ?? members.at(-1)?.doc ?? "" });
    doc = null;
  }
  return members;
}
