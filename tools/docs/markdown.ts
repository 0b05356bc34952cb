/** @module Pieces of Markdown, the same for the same facts. */

/** A page: title, then blocks with an empty line between. Blocks that are null are left out. */
export function page(title: string, ...blocks: (string | null)[]): string {
  const kept = blocks.filter((block) => block !== null && block !== "");
  return [`# ${title}`, ...kept].join("\n\n") + "\n";
}

/** A table; null without rows. Cells may hold Markdown, `|` in them is escaped. */
export function table(
  head: readonly string[],
  rows: readonly (readonly string[])[],
): string | null {
  if (rows.length === 0) return null;
  const line = (cells: readonly string[]) => `| ${cells.map(cell).join(" | ")} |`;
  return [line(head), `|${head.map(() => "---").join("|")}|`, ...rows.map(line)].join("\n");
}

/** Text in the fixed font; empty stays empty. */
export function code(text: string): string {
  return text === "" ? "" : `\`${text}\``;
}

/** A value as JSON in the fixed font; undefined is empty. */
export function json(value: unknown): string {
  return value === undefined ? "" : code(JSON.stringify(value));
}

/** A fenced block. */
export function fence(language: string, text: string): string {
  return `\`\`\`${language}\n${text.trimEnd()}\n\`\`\``;
}

/** `<` is escaped where it would begin a tag: outside of the fixed font. */
function cell(text: string): string {
  return text.replace(/\s+/g, " ").replaceAll("|", "\\|").split(/(`[^`]*`)/)
    .map((part, i) => i % 2 === 0 ? part.replaceAll("<", "\\<") : part).join("");
}
