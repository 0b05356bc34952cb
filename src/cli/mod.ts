/** @module The command line's door: the program and the verbs that are calls of the REST API. */
import type { Verb } from "./verb.ts";
import { answer, approvals, approve, reject } from "./verbs/approvals.ts";
import { backfill, backfills } from "./verbs/backfills.ts";
import { bulk } from "./verbs/bulk.ts";
import { dags, pause, unpause } from "./verbs/dags.ts";
import { clear, mark, note, runTask, skip } from "./verbs/by_hand.ts";
import { datasets, lineage, quarantine } from "./verbs/datasets.ts";
import { events } from "./verbs/events.ts";
import { logs } from "./verbs/logs.ts";
import { drain, resume } from "./verbs/maintenance.ts";
import { pools } from "./verbs/pools.ts";
import { cancel, runs, tasks, trigger } from "./verbs/runs.ts";
import { tokens } from "./verbs/tokens.ts";
import { versions } from "./verbs/versions.ts";

export { RestClient } from "./client.ts";
export { runProgram } from "./program.ts";
export type { Verb, VerbContext, VerbOptions } from "./verb.ts";
export type { Output } from "./print.ts";

/** Verbs on DAGs and runs. */
export const runVerbs: readonly Verb[] = [
  trigger,
  backfill,
  backfills,
  bulk,
  runs,
  tasks,
  logs,
  approvals,
  approve,
  reject,
  answer,
  clear,
  runTask,
  mark,
  skip,
  note,
  cancel,
  dags,
  versions,
  pause,
  unpause,
];

/** Verbs on data. */
export const dataVerbs: readonly Verb[] = [datasets, lineage, quarantine];

/** Verbs on the installation. */
export const adminVerbs: readonly Verb[] = [drain, resume, pools, events, tokens];
