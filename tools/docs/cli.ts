/** @module The page of the command line. */
import type { Verb, VerbOption } from "../../src/cli/verb.ts";
import { rolePorts } from "../../src/compose/roles.ts";
import { verbGroups } from "../../src/main.ts";
import { code, fence, json, page, table } from "./markdown.ts";

/** `docs/reference/cli.md`. */
export function cliPage(): string {
  const groups = Object.entries(verbGroups).flatMap(([heading, verbs]) => [
    `## ${heading.replace(/:$/, "")}`,
    ...verbs.map(chapter),
  ]);
  return page(
    "Command line",
    "`tidewheel <verb>` where the program is installed, `deno task <verb>` in a clone. Every verb " +
      "takes `--json` (one JSON document for programs) and `--help`. The exit code is 0 when what was " +
      "asked was done, else 1. Under `--json` an error is one object on standard error: `error`, `code` and `detail`.",
    ...groups,
    "## Ports",
    "`start` listens on `TIDEWHEEL_PORT` (9000). A role in a process of its own listens on these, unless " +
      "`--port` or `TIDEWHEEL_PORT`, and `TIDEWHEEL_METRICS_PORT`, say otherwise; the metrics port serves " +
      "`/metrics` alone:",
    table(
      ["role", "port", "metrics"],
      Object.entries(rolePorts).map(([role, { port, metricsPort }]) => [
        code(role.replace(/^worker (\w+)$/, "worker --queue $1")),
        String(port),
        String(metricsPort),
      ]),
    ),
  );
}

function chapter({ name, summary, arguments: args = [], options = [] }: Verb): string {
  const usage = ["tidewheel", name, ...args.map((arg) => arg.name)];
  if (options.length > 0) usage.push("[options]");
  const rows = [
    ...args.map(({ name, doc }) => [code(name), "", doc]),
    ...options.map(optionRow),
  ];
  return [
    `### ${name}`,
    `${summary}.`,
    fence("sh", usage.join(" ")),
    table(["", "default", ""], rows),
  ].filter((block) => block !== null).join("\n\n");
}

function optionRow({ flags, doc, default: value, many }: VerbOption): string[] {
  return [
    code(flags),
    typeof value === "string" ? code(value) : json(value),
    doc +
    (many ? " (several)" : ""),
  ];
}
