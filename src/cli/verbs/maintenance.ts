/** @module Verbs for maintenance: drain, resume. */
import { CliError } from "../client.ts";
import { type Output, printFacts } from "../print.ts";
import { text, type Verb } from "../verb.ts";

/** How the installation stands. */
interface MaintenanceShape {
  draining_since: string | null;
  drained_by: string | null;
  note: string | null;
  running_attempts: number;
  queued_attempts: number;
  is_empty: boolean;
  paused_by_all: number;
}

const path = "/api/v2/maintenance";
const LOOK_MS = 250;

export const drain: Verb = {
  name: "drain",
  summary: "Start no new attempts, and wait until nothing runs any more",
  options: [
    {
      flags: "--timeout <seconds>",
      doc: "Wait so long at most; exit code 1 if something runs then",
    },
    { flags: "--note <text>", doc: "Why, for others to see" },
    { flags: "--status", doc: "Only say how it stands" },
  ],
  async run({ api, output, sleep }, _args, options) {
    if (options.status) {
      print(output, await api.get<MaintenanceShape>(path));
      return 0;
    }
    const given = text(options, "timeout");
    const seconds = given === undefined ? Infinity : Number(given);
    if (Number.isNaN(seconds) || seconds < 0) {
      throw new CliError(`Cannot wait ${given} seconds: --timeout must be a number`);
    }
    let now = await api.post<MaintenanceShape>(`${path}/drain`, { note: text(options, "note") });
    let running = -1;
    for (let waitedMs = 0; !now.is_empty && waitedMs < seconds * 1000; waitedMs += LOOK_MS) {
      if (!output.json && now.running_attempts !== running) {
        output.out(`${now.running_attempts} attempts run\n`);
      }
      running = now.running_attempts;
      await sleep(LOOK_MS);
      now = await api.get<MaintenanceShape>(path);
      if (now.draining_since === null) throw new CliError("Somebody has resumed meanwhile");
    }
    print(output, now);
    return now.is_empty ? 0 : 1;
  },
};

export const resume: Verb = {
  name: "resume",
  summary: "Start attempts again after a drain",
  async run({ api, output }) {
    print(output, await api.post<MaintenanceShape>(`${path}/resume`));
    return 0;
  },
};

function print(output: Output, now: MaintenanceShape): void {
  printFacts(output, now, {
    "draining since": now.draining_since ?? "it does not drain",
    ...(now.drained_by ? { by: now.drained_by } : {}),
    ...(now.note ? { note: now.note } : {}),
    "attempts that run": now.running_attempts,
    "attempts that wait": now.queued_attempts,
    "DAGs paused by pause --all": now.paused_by_all,
    ...(now.is_empty ? { state: "empty: nothing runs" } : {}),
  });
}
