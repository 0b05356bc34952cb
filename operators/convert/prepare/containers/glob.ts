/** @module Globs over paths within archives. */

/** `*` within a part, `**` over parts, `?` one sign; a glob without a slash matches names. */
export function globToRegExp(glob: string): RegExp {
  const anywhere = glob.includes("/") ? "" : "(?:.*/)?";
  const body = glob.replace(/\*\*\/|\*\*|\*|\?|[^*?]+/g, (part) => {
    if (part === "**/") return "(?:.*/)?";
    if (part === "**") return ".*";
    if (part === "*") return "[^/]*";
    if (part === "?") return "[^/]";
    return part.replace(/[.+^${}()|[\]\\]/g, "\\$&");
  });
  return new RegExp(`^${anywhere}${body}$`);
}
