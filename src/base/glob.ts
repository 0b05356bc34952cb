/** @module Patterns of file names. */

/**
 * A test for paths with `/` between names: `*` and `?` stay within a name, `**` does not, `{a,b}`
 * is either. Anything else is itself. Throws SyntaxError for a brace without its other half.
 */
export function globToRegExp(pattern: string): RegExp {
  let source = "";
  let depth = 0;
  for (let i = 0; i < pattern.length; i++) {
    const char = pattern[i];
    if (pattern.startsWith("**/", i)) {
      source += "(?:[^/]+/)*";
      i += 2;
    } else if (pattern.startsWith("**", i)) {
      source += ".*";
      i += 1;
    } else if (char === "*") source += "[^/]*";
    else if (char === "?") source += "[^/]";
    else if (char === "{") {
      source += "(?:";
      depth++;
    } else if (char === "}" && depth > 0) {
      source += ")";
      depth--;
    } else if (char === "," && depth > 0) source += "|";
    else source += char.replace(/[\\^$.|+()[\]{}]/, "\\$&");
  }
  if (depth > 0) throw new SyntaxError(`Cannot read the pattern "${pattern}": a "{" is not closed`);
  return new RegExp(`^${source}$`);
}
