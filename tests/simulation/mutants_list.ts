/** @module The mistakes that the simulation must catch: a text of the source, and its wrong twin. */

/** One mistake. */
export interface Mutant {
  /** What goes wrong. */
  name: string;
  file: string;
  /** Stands exactly once in the file. */
  from: string;
  to: string;
  /**
   * Where it is looked for: the histories in memory by default, those on PostgreSQL, or these test files,
   * for what no history does.
   */
  on?: "postgres" | readonly string[];
}

const memory = "src/store/engine_memory.ts";
const loop = "src/scheduler/loop.ts";
const ready = "src/dispatcher/ready_queue.ts";
const waits = "src/store/memory_triggers.ts";

/** See the module. */
export const mutants: readonly Mutant[] = [
  {
    name: "an old leader's writes are taken",
    file: memory,
    from: "if (lease?.epoch !== epoch) {",
    to: "if (lease === null) {",
  },
  {
    name: "a move forgets the state it expects",
    file: memory,
    from: "if (!row || row.state !== move.from) return false;",
    to: "if (!row) return false;",
  },
  {
    name: "a pass does not notice a clear",
    file: memory,
    from: "const isFree = fenceOf(writes);",
    to: "const isFree = (_id: string) => true;",
  },
  {
    name: "an ended attempt may end again",
    file: memory,
    from: 'if (attempt.state === "ended") {\n      return attempt.endReason',
    to: 'if (attempt.state === "never") {\n      return attempt.endReason',
  },
  {
    name: "a claim leaves its task in the queue",
    file: memory,
    from: 'setState(row, "running");\n    row.startDate',
    to: 'row.state = "running";\n    row.startDate',
  },
  {
    name: "a new leader has the old one's epoch",
    file: memory,
    from: "epoch: (lease?.epoch ?? 0) + 1",
    to: "epoch: lease?.epoch ?? 1",
  },
  {
    name: "a lost attempt is not requeued",
    file: "src/scheduler/heartbeat_watch.ts",
    from: "if (stillMs >= this.#timeoutMs) lost.push",
    to: "if (stillMs < 0) lost.push",
  },
  {
    name: "a dead leader is never replaced",
    file: "src/scheduler/leadership.ts",
    from: "return nowMs - this.#seen.sinceMs >= limits.leaseMs;",
    to: "return false;",
  },
  {
    name: "what a pass could not write is not read anew",
    file: "src/scheduler/pass.ts",
    from: "return [...reload];",
    to: "return [];",
  },
  {
    name: "an error leaves a wrong view of the world",
    file: loop,
    from: "    this.#forget();\n    handOver",
    to: "    handOver",
  },
  {
    name: "nothing makes up for a lost hint",
    file: loop,
    from: "if (startedAtMs >= this.#sweepAtMs) await this.#sweep();",
    to: "if (this.#sweepAtMs === 0) await this.#sweep();",
  },
  {
    name: "a pool gives out more slots than it has",
    file: ready,
    from: "pool.taken + slots > pool.slots",
    to: "pool.taken > pool.slots",
  },
  {
    name: "slots are not given back",
    file: ready,
    from: "this.#pool(demand.pool).used -= demand.slots;",
    to: "",
  },
  {
    name: "a DAG at its limit is never looked at again",
    file: ready,
    from: "dag.used--;\n    dag.unpark();",
    to: "dag.used--;",
  },
  {
    name: "a DAG has a run more than it may",
    file: "src/scheduler/decide_runs.ts",
    from: "while (queue.running < max) {",
    to: "while (queue.running <= max) {",
  },
  {
    name: "a run ends before its last task",
    file: "src/scheduler/decide_run_state.ts",
    from: "if (run.unfinished === 0) {",
    to: "if (run.unfinished <= 1) {",
  },
  {
    name: "a task starts before its upstreams end",
    file: "src/scheduler/trigger_rule.ts",
    from: 'if (counts.expected === 0) return "run";',
    to: 'if (counts.done === 0) return "run";',
  },
  {
    name: "a teardown runs while something before it does",
    file: "src/scheduler/decide_tasks.ts",
    from: "if (isStopping && task.plan.spec.isTeardown && isInUse(task)) return;",
    to: "",
  },
  {
    name: "a teardown is stopped with its run",
    file: "src/scheduler/decide_tasks.ts",
    from: 'if (task.plan.spec.isTeardown && run.state === "running") continue;',
    to: "",
  },
  {
    name: "a setup further up does not matter",
    file: "src/scheduler/decide_tasks.ts",
    from: 'if (bySetups === "run") return own();',
    to: "return own();",
  },
  {
    name: "a budget is not used up",
    file: "src/store/memory_budget.ts",
    from: "return asFailure(ending, overBudget(retryBudget, { inRun, inHour }));",
    to: "return asFailure(ending, null && overBudget(retryBudget, { inRun, inHour }));",
  },
  {
    name: "a run's place is free before its end is stored",
    file: "src/scheduler/state.ts",
    from: 'run.holdsPlace = isRunFinished(to) && run.state === "running" && this.#isMoving(run);',
    to: "",
  },
  {
    name: "SQL: a task is tried more often than it may",
    file: "src/store/engine_end.ts",
    from: "when e.result = 'retry' and t.try_number <= t.max_tries then",
    to: "when e.result = 'retry' then",
    on: "postgres",
  },
  {
    name: "SQL: a cancelled task leaves its attempt in the queue",
    file: "src/store/engine_cancel.ts",
    from: "cancelled\")}::uuid[]) and state = 'queued'",
    to: "cancelled\")}::uuid[]) and state = 'ended'",
    on: "postgres",
  },
  {
    name: "data: a run is made whose events another has",
    file: memory,
    from: "datasetQueue.take(run) === 0 && takes.isRequired",
    to: "datasetQueue.take(run) < 0",
  },
  {
    name: "data: a partition's run does not wait for all of it",
    file: "src/timetable/partitions.ts",
    from: "const isWhole = needs !== null && needs.length > 0 && missing.length === 0;",
    to: "const isWhole = needs !== null && needs.length > 0;",
  },
  {
    name: "data: an event repeated is another one",
    file: memory,
    from: "if (known) return { id: known.id, isNew: false, waitingDags: [] };",
    to: "",
  },
  {
    name: "data: a run takes the events of every partition",
    file: "src/store/memory_dataset_queue.ts",
    from: "takes!.partitions === null || ",
    to: "true || ",
  },
  {
    name: "data: a taken event waits on",
    file: "src/store/memory_dataset_queue.ts",
    from: "list.filter((one) => !isTheirs(one))",
    to: "list",
  },
  {
    name: "data: nobody is told that a run succeeded",
    file: "src/scheduler/pass.ts",
    from: "...awaitedEnd(state, run, options.ids),",
    to: "",
  },
  {
    name: "SQL: an event repeated is another one",
    file: "src/store/engine_events.ts",
    from: "on conflict (dataset, event_key) where event_key is not null do nothing\n",
    to: "\n",
    on: "postgres",
  },
  {
    name: "SQL: a run is made whose events another has",
    file: "src/store/engine_events.ts",
    from: "takes!.isRequired && !has.has(id)",
    to: "false && !has.has(id)",
    on: "postgres",
  },
  {
    name: "SQL: a run takes the events of every partition",
    file: "src/store/engine_events.ts",
    from: `(r."of" is null or r."of" = 'null' or r."of" ? q.partition)`,
    to: "true",
    on: "postgres",
  },
  {
    name: "SQL: an old leader renews a lease that it lost",
    file: "src/store/engine_lease.ts",
    from:
      "where name = ${NAME} and holder = ${lease.holder} and epoch = ${lease.epoch}\n    returning",
    to: "where name = ${NAME}\n    returning",
    on: "postgres",
  },
  {
    name: "SQL: a late word is taken",
    file: "src/store/engine_end.ts",
    from: "when t.attempt_id <> a.id or a.state not in ('running', 'cancelling')\n",
    to: "when false\n",
    on: "postgres",
  },
  {
    name: "SQL: a lost attempt is not requeued",
    file: "src/store/engine_end.ts",
    from: "when e.result = 'lose' and t.infra_losses < ${limits.infraLossesMax} then 'scheduled'",
    to: "",
    on: "postgres",
  },
  {
    name: "SQL: a claim leaves its task in the queue",
    file: "src/store/engine_claim.ts",
    from: "update task_instance t set state = 'running', start_date",
    to: "update task_instance t set start_date",
    on: "postgres",
  },
  {
    name: "an index of a mapped group does not wait for its own upstream",
    file: "src/scheduler/upstream_counts.ts",
    from: "sum.expected++;\n    if (state !== null)",
    to: 'if (state !== null && state !== "running") sum.expected++;\n    if (state !== null)',
  },
  {
    name: "a mapped group counts the first index for all",
    file: "src/scheduler/upstream_counts.ts",
    from: "const state = stateAt(task, mapIndex);",
    to: "const state = stateAt(task, Math.min(mapIndex, 0));",
  },
  {
    name: "the end of an index is not told to the next task of its mapped group",
    file: "src/scheduler/state.ts",
    from: "else after.touch(after.at(mapIndex));",
    to: "",
  },
  {
    name: "a success leaves its deadlines",
    file: "src/store/memory_deadlines.ts",
    from: 'if (run.state === "success") kept.delete(one.id);',
    to: 'if (run.state === "failed") kept.delete(one.id);',
  },
  {
    name: "a new leader forgets the deadlines",
    file: "src/scheduler/loader.ts",
    from: "  state.putDeadlines(deadlines);",
    to: "",
  },
  {
    name: "a run that starts leaves its deadlines to the next leader",
    file: "src/scheduler/pass.ts",
    from: "[...made, ...started].map(({ id }) => id)",
    to: "made.map(({ id }) => id)",
  },
  {
    name: "an attempt that is ended from outside is told of to nobody",
    file: memory,
    from: "if (ending.isHeard !== false) tell(row, to, { ...ending, endReason });",
    to: 'if (endReason !== "worker_lost") tell(row, to, { ...ending, endReason });',
  },
  {
    name: "a success leaves its deadlines in the database",
    file: "src/store/engine_deadlines.ts",
    from: "r.state = 'success' and d.settled_at is null",
    to: "r.state = 'failed' and d.settled_at is null",
    on: "postgres",
  },
  {
    name: "a run that somebody stopped is told of as failed",
    file: "src/store/engine_outbox.ts",
    from: "when r.state = 'failed' and r.cancel_requested_at is not null then 'cancelled'",
    to: "when r.state = 'failed' and r.cancel_requested_at is null then 'cancelled'",
    on: "postgres",
  },
  {
    name: "a wait does not end at its deadline",
    file: "src/scheduler/state.ts",
    from: 'if (nextTryAt && nextTryAt <= now) this.move(instance, "scheduled");',
    to: "",
  },
  {
    name: "an event is taken by a wait that is over",
    file: waits,
    from: "if (!isWaiting(taskInstanceId, attemptId)) return false;",
    to: "",
  },
  {
    name: "an event does not reach the attempt that goes on",
    file: waits,
    from: "row.resumption = resumedWith(row.resumption!, event);",
    to: "",
  },
  {
    name: "what a dead triggers process held stays its own",
    file: waits,
    from: "for (const [, kept] of held(claimant)) kept.claimedBy = null;",
    to: "",
  },
  {
    name: "a pool forgets what is deferred",
    file: ready,
    from: "return this.used + (this.includeDeferred ? this.deferred : 0);",
    to: "return this.used;",
  },
  {
    name: "SQL: an event is taken whoever waits for it",
    file: "src/store/engine_triggers.ts",
    from: "where t.state = 'deferred' and t.attempt_id = f.attempt\n",
    to: "\n",
    on: "postgres",
  },
  {
    name: "SQL: a lost attempt forgets what it was resumed with",
    file: "src/store/engine_end.ts",
    from: "case when f.to_state = 'scheduled' then t.resumption else f.resumption end",
    to: "f.resumption",
    on: "postgres",
  },
  {
    name: "a claim takes what was queued last first",
    file: memory,
    from: "a.queuedAt!.getTime() - b.queuedAt!.getTime() ||",
    to: "b.queuedAt!.getTime() - a.queuedAt!.getTime() ||",
  },
  {
    name: "SQL: a claim takes what was queued last first",
    file: "src/store/engine_claim.ts",
    from: "order by priority_weight desc, queued_at, id\n      limit",
    to: "order by priority_weight desc, queued_at desc, id\n      limit",
    on: "postgres",
  },
  {
    name: "by hand: a pass does not notice that a run was queued anew",
    file: "src/store/memory_by_hand.ts",
    from: "return new Date(Math.max(now.getTime(), queuedAt.getTime() + 1));",
    to: "return now < queuedAt ? now : queuedAt;",
  },
  {
    name: "by hand: a pass queues tasks while somebody drains",
    file: memory,
    from: "isFree(move.id) && !(move.queue && drain);",
    to: "isFree(move.id);",
  },
  {
    name: "by hand: what ran and was set to a state is cancelled",
    file: "src/store/memory_rows.ts",
    from: 'row.cancelTo ?? "cancelled"',
    to: '"cancelled"',
  },
  {
    name: "SQL: what ran and was set to a state by hand is cancelled",
    file: "src/store/engine_end.ts",
    from: "coalesce(t.cancel_to, 'cancelled')",
    to: "'cancelled'",
    on: "postgres",
  },
  {
    name: "SQL: a claim starts tasks while somebody drains",
    file: "src/store/engine_claim.ts",
    from: "and not exists (select from leader_lease where drain_at is not null)",
    to: "",
    on: "postgres",
  },
  {
    name: "backfill: a date whose run is under way runs again",
    file: "src/model/backfill.ts",
    from: 'if (!isRunFinished(run.state)) return "in flight";',
    to: "",
  },
  {
    name: "backfill: a paused one, or one that is full, goes on",
    file: "src/scheduler/decide_runs.ts",
    from: "return backfill.isPaused ? 0 : backfill.maxActiveRuns;",
    to: "return backfill.maxActiveRuns + 1;",
  },
  {
    name: "SQL: a backfill makes a run of a date before what it needs is done",
    file: "src/store/backfill_needs.ts",
    from: "and r.state in ('queued', 'running')))`;",
    to: "and r.state in ('queued')))`;",
    on: ["src/api/routes/cascades_test.ts"],
  },
  {
    name: "SQL: a failure does not keep what needs it",
    file: "src/store/backfill_needs.ts",
    from: "= 'in flight' and r.state = 'failed'))`;",
    to: "= 'in flight' and r.state = 'none'))`;",
    on: ["src/api/routes/cascades_test.ts"],
  },
  {
    name: "SQL: an event of a cascade starts its run at once",
    file: "src/store/engine_events.ts",
    from: "up.id = (select r.backfill_id from dag_run r where r.id = ${dagRunId}::uuid)",
    to: "up.id = (select r.backfill_id from dag_run r where r.id is null)",
    on: ["src/api/routes/cascade_events_test.ts"],
  },
  {
    name: "SQL: a cancelled cascade loses the events that it kept",
    file: "src/store/backfill_events.ts",
    from:
      "where b.id = e.backfill_id and e.released_at is null and b.end_reason = 'cancelled'\n      returning",
    to:
      "where b.id = e.backfill_id and e.released_at is null and b.end_reason = 'never'\n      returning",
    on: ["src/api/routes/cascade_events_test.ts"],
  },
  {
    name: "SQL: a bulk clear takes runs that are under way",
    file: "src/store/bulk_work.ts",
    from: "where r.id = any(${wanted}::uuid[]) and state in ('success', 'failed')",
    to: "where r.id = any(${wanted}::uuid[])",
    on: ["src/api/routes/bulk_test.ts"],
  },
  {
    name: "SQL: a bulk job is done by several at once",
    file: "src/store/bulk_work.ts",
    from: "and completed_at is null for update skip locked`;\n    if (!job)",
    to: "and completed_at is null`;\n    if (!job)",
    on: ["src/api/routes/bulk_test.ts"],
  },
  {
    name: "SQL: a cancelled backfill goes on",
    file: "src/store/backfill_write.ts",
    from: "update backfill_dag_run set exception_reason = 'cancelled'",
    to: "update backfill_dag_run set exception_reason = null",
    on: "postgres",
  },
  {
    name: "SQL: a backfill runs what succeeded again with what failed",
    file: "src/store/backfill_rerun.ts",
    from: "r.backfill_id = e.backfill_id and r.state = 'failed'))",
    to: "r.backfill_id = e.backfill_id))",
    on: "postgres",
  },
  {
    name: "SQL: a run that runs again has no new budget of tries",
    file: "src/store/clear_runs.ts",
    from: "max_tries = t.try_number + coalesce((",
    to: "max_tries = 0 * t.try_number + coalesce((",
    on: "postgres",
  },
];
