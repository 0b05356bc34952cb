/** @module What of an SQL text is code, and what is strings, comments and quoted names. */

/** Where a part that is no code may begin. An `e` behind a letter ends a name. */
const starts = /--|\/\*|(?<![A-Za-z])[eE]'|'|"|\$(?:[A-Za-z_\u0080-\uffff][\w\u0080-\uffff]*)?\$/g;

/** Each such part from its begin to its end; comments between `/*` nest and are not here. */
const parts = [
  /--[^\n\r]*/y,
  /[eE]'(?:[^'\\]|\\[\s\S]|'')*'/y,
  /'[^']*(?:''[^']*)*'/y,
  /"[^"]*(?:""[^"]*)*"/y,
  /\$([A-Za-z_]\w*)?\$[\s\S]*?\$\1\$/y,
];

/**
 * The text with its strings empty, its comments as spaces, and its quoted names as `name` has them.
 * Null where it is not certain how the engine divides it, as with a string that does not end.
 */
export function codeOf(sql: string, name: (quoted: string) => string): string | null {
  let code = "";
  let at = 0;
  while (true) {
    starts.lastIndex = at;
    const start = starts.exec(sql)?.index;
    if (start === undefined) return code + sql.slice(at);
    const end = endOf(sql, start);
    if (end === null) return null;
    code += sql.slice(at, start) + codeFor(sql.slice(start, end), name);
    at = end;
  }
}

function codeFor(part: string, name: (quoted: string) => string): string {
  if (part.startsWith('"')) return name(part.slice(1, -1));
  return part.startsWith("--") || part.startsWith("/*") ? " " : "''";
}

function endOf(sql: string, start: number): number | null {
  if (sql.startsWith("/*", start)) return endOfComment(sql, start);
  // Whether these begin a string depends on whether a name or a number ends before them.
  if (/[eE$]/.test(sql[start]) && /[\w$\u0080-\uffff]/.test(sql[start - 1] ?? " ")) return null;
  for (const part of parts) {
    part.lastIndex = start;
    if (part.test(sql)) return part.lastIndex;
  }
  return null;
}

function endOfComment(sql: string, start: number): number | null {
  const marks = /\/\*|\*\//g;
  marks.lastIndex = start;
  let depth = 0;
  for (let mark = marks.exec(sql); mark !== null; mark = marks.exec(sql)) {
    depth += mark[0] === "/*" ? 1 : -1;
    if (depth === 0) return marks.lastIndex;
  }
  return null;
}
