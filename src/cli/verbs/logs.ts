/** @module The verb `logs`: what a task said, also while it runs. */
import { segment } from "../client.ts";
import { printJson } from "../print.ts";
import type { TaskInstanceShape } from "../shapes.ts";
import { text, type Verb } from "../verb.ts";
import { findRun, runPath } from "./runs.ts";

/** One structured line as the API gives it. */
interface LineShape {
  timestamp: string | null;
  event: string;
  level?: string;
}

interface LogShape {
  content: LineShape[];
  continuation_token: string | null;
}

const LOOK_MS = 300;
const over = new Set([
  "success",
  "failed",
  "skipped",
  "upstream_failed",
  "removed",
]);

export const logs: Verb = {
  name: "logs",
  summary: "Print the log of a task",
  arguments: [
    { name: "<dag>", doc: "Id of the DAG" },
    { name: "<run>", doc: "Id of the run, or `latest`" },
    { name: "<task>", doc: "Id of the task" },
  ],
  options: [
    { flags: "-f, --follow", doc: "Go on until the task has ended" },
    { flags: "--map-index <n>", doc: "Of this instance of a mapped task", default: "-1" },
    { flags: "--try <n>", doc: "Of this try; the newest by default" },
  ],
  async run({ api, output, sleep }, [dag, run, task], options) {
    const found = await findRun(api, dag, run);
    const mapIndex = text(options, "mapIndex")!;
    const base = `${runPath(found)}/taskInstances/${segment(task)}`;
    const path = mapIndex === "-1" ? base : `${base}/${segment(mapIndex)}`;
    const all: LineShape[] = [];
    let token: string | null = null;
    let readTry: string | null = null;
    for (;;) {
      const instance: TaskInstanceShape = await api.get(path);
      const tryNumber = text(options, "try") ?? String(Math.max(instance.try_number, 1));
      if (tryNumber === readTry) {
        if (options.try !== undefined || over.has(instance.state ?? "none")) break;
        await sleep(LOOK_MS);
        continue;
      }
      const page: LogShape = await api.get(`${base}/logs/${segment(tryNumber)}`, {
        map_index: mapIndex,
        token,
      });
      for (const line of page.content) {
        if (output.json) all.push(line);
        else output.out(lineText(line));
      }
      const more = page.continuation_token !== null && page.content.length > 0;
      token = page.continuation_token;
      if (token === null) readTry = tryNumber;
      if (more) continue;
      if (!options.follow || over.has(instance.state ?? "none")) break;
      await sleep(LOOK_MS);
    }
    if (output.json) printJson(output, all);
    return 0;
  },
};

function lineText({ timestamp, level, event }: LineShape): string {
  const at = timestamp ? `${timestamp} ` : "";
  return `${at}${level ? `${level.toUpperCase().padEnd(5)} ` : ""}${event}\n`;
}
