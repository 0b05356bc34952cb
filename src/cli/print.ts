/** @module How answers look: tables for people, JSON for programs. */

/** Where a verb writes, and for whom. */
export interface Output {
  /** `--json`: one JSON document, nothing else. */
  json: boolean;
  /** Standard output is a terminal: colours and live lines are welcome. */
  isTerminal: boolean;
  out(text: string): void;
  err(text: string): void;
}

/** A column of a table: its title and how to get its text. */
export type Columns<Row> = Record<string, (row: Row) => unknown>;

const colours: Record<string, string> = {
  success: "32",
  running: "36",
  queued: "33",
  scheduled: "33",
  up_for_retry: "33",
  failed: "31",
  upstream_failed: "31",
  cancelled: "35",
  skipped: "90",
  broken: "31",
  "broken, paused": "31",
  paused: "33",
  stale: "90",
};

/** Print rows as a table, or the whole `document` as JSON. */
export function printTable<Row>(
  output: Output,
  document: unknown,
  rows: readonly Row[],
  columns: Columns<Row>,
): void {
  if (output.json) return printJson(output, document);
  if (rows.length === 0) return output.out("(none)\n");
  output.out(tableText(rows, columns, output.isTerminal));
}

/** Print one object as `name  value` lines, or as JSON. */
export function printFacts(output: Output, document: unknown, facts: Record<string, unknown>) {
  if (output.json) return printJson(output, document);
  const width = Math.max(...Object.keys(facts).map((name) => name.length));
  for (const [name, value] of Object.entries(facts)) {
    output.out(`${name.padEnd(width)}  ${cell(value)}\n`);
  }
}

/** Print one JSON document. */
export function printJson(output: Output, document: unknown): void {
  output.out(JSON.stringify(document, null, 2) + "\n");
}

/** A table with a header; numbers to the right. */
export function tableText<Row>(
  rows: readonly Row[],
  columns: Columns<Row>,
  colour = false,
): string {
  const titles = Object.keys(columns);
  const cells = rows.map((row) => Object.values(columns).map((of) => of(row)));
  const texts = cells.map((line) => line.map(cell));
  const widths = titles.map((title, i) =>
    Math.max(title.length, ...texts.map((line) => line[i].length))
  );
  const right = titles.map((_, i) => cells.every((line) => typeof line[i] === "number"));
  const pad = (text: string, i: number) =>
    right[i] ? text.padStart(widths[i]) : text.padEnd(widths[i]);
  const line = (parts: string[]) => parts.map(pad).join("  ").trimEnd();
  const body = texts.map((parts) => {
    const state = parts.findIndex((part) => Object.hasOwn(colours, part));
    if (!colour || state < 0) return line(parts);
    const coloured = parts.map((part, i) =>
      i === state ? `\x1b[${colours[part]}m${pad(part, i)}\x1b[0m` : pad(part, i)
    );
    return coloured.join("  ").trimEnd();
  });
  return [line(titles), line(widths.map((width) => "-".repeat(width))), ...body].join("\n") + "\n";
}

function cell(value: unknown): string {
  if (value === null || value === undefined) return "-";
  if (typeof value === "object") return JSON.stringify(value);
  return printable(String(value)).replace(/[\t\n]/g, " ");
}

/** Text without the control characters that would steer the terminal; lines and tabs stay. */
export function printable(text: string): string {
  // deno-lint-ignore no-control-regex
  return text.replace(/[\x00-\x08\x0b-\x1f\x7f]/g, " ");
}

/** 0.04 s, 12.3 s, 4 m 5 s. */
export function seconds(value: number | null | undefined): string {
  if (value === null || value === undefined) return "-";
  if (value < 10) return `${value.toFixed(2)} s`;
  if (value < 120) return `${value.toFixed(1)} s`;
  return `${Math.floor(value / 60)} m ${Math.round(value % 60)} s`;
}

/** 1.2 kB, 3.4 MB. */
export function bytes(value: number): string {
  const units = ["B", "kB", "MB", "GB", "TB"];
  let at = 0;
  while (value >= 1000 && at < units.length - 1) {
    value /= 1000;
    at++;
  }
  return `${at === 0 ? value : value.toFixed(1)} ${units[at]}`;
}
