/**
 * @module The memory store and PostgreSQL side by side: each write goes to both, and both must say
 * the same. So a history on PostgreSQL is held to all that the checkers hold the memory store to,
 * and a fence that is gone from a statement shows as the first answer that differs.
 */
import { hasCode, messageOf } from "../../src/model/errors.ts";
import type { DagSpec } from "../../src/model/dag_spec.ts";
import type { Sql } from "../../src/store/database.ts";
import type { MemoryEngineStore } from "../../src/store/engine_memory.ts";
import type { EngineStore } from "../../src/store/port.ts";
import { Violation } from "./checkers.ts";

type Method = (...given: unknown[]) => Promise<unknown>;

/** Calls that write, and whose answer tells what came of it. */
const writes = [
  "takeLease",
  "renewLease",
  "releaseLease",
  "applyTick",
  "claim",
  "heartbeat",
  "endAttempts",
  "recordEvents",
  "createRun",
  "cancelRun",
  "cancelTasks",
  "clearTasks",
  "setTasks",
  "setDrain",
  "joinTriggers",
  "beatTriggers",
  "leaveTriggers",
  "claimTriggers",
  "fireTriggers",
  "dropTriggers",
  "answerQuestion",
] as const;

/** Calls whose answer has no order. */
const unordered: ReadonlySet<string> = new Set(["claimTriggers", "fireTriggers"]);
const nameOf = (one: string | { taskInstanceId: string }) =>
  typeof one === "string" ? one : one.taskInstanceId;

/** See the module. */
export class TwinStore {
  #queue: Promise<unknown> = Promise.resolve();
  #pending = 0;

  constructor(
    readonly memory: MemoryEngineStore,
    readonly pg: EngineStore,
    readonly sql: Sql,
    readonly onDifference: (error: unknown) => void,
  ) {}

  /** Does PostgreSQL still work on something? Virtual time must wait for it. */
  get isBusy(): boolean {
    return this.#pending > 0;
  }

  /** Resolves when PostgreSQL has answered all that it was asked. */
  async idle(): Promise<void> {
    await this.#queue;
  }

  /**
   * The memory store, `observed`, with each write made on PostgreSQL too: in the same order, one
   * after the other.
   */
  view(observed: EngineStore): EngineStore {
    const twins = writes.map((name) => {
      const [first, second] = [observed[name] as Method, this.pg[name] as Method];
      return [
        name,
        (...given: unknown[]) => this.#both(name, first, () => second(...given), given),
      ];
    });
    return { ...observed, ...Object.fromEntries(twins) };
  }

  /** One call of something beside the store, made in both; they must say the same. */
  both<T>(name: string, first: () => Promise<T>, second: () => Promise<unknown>): Promise<T> {
    return this.#both(name, first, second, []) as Promise<T>;
  }

  /** The same, whatever each says. */
  alone<T>(first: () => Promise<T>, second: () => Promise<unknown>): Promise<T> {
    const expected = first();
    this.#inTurn(second).catch(this.onDifference);
    return expected;
  }

  #both(name: string, first: Method, second: () => Promise<unknown>, given: unknown[]) {
    const expected = answerOf(() => first(...given));
    const turn = this.#inTurn(async () => {
      const [wanted, got] = [await expected, await answerOf(second)].map((answer) =>
        unordered.has(name) && Array.isArray(answer.value)
          ? { value: answer.value.toSorted((a, b) => nameOf(a) < nameOf(b) ? -1 : 1) }
          : answer
      );
      if (summary(wanted) !== summary(got)) {
        this.onDifference(
          new Violation(
            `PostgreSQL answers ${name} with ${summary(got)}, the memory store with ` +
              summary(wanted),
          ),
        );
      }
      return wanted;
    });
    return turn.then(({ value, error }) => {
      if (error !== undefined) throw error;
      return value;
    });
  }

  /** Store a version of a DAG, made by the memory store already. */
  putVersion(spec: DagSpec, id: string, versionNumber: number): void {
    const { dagId } = spec;
    const now = new Date("2030-01-01T00:00:00Z");
    this.#inTurn(async () => {
      await this.sql.begin(async (tx) => {
        await tx`
          insert into dag (dag_id, fileloc, dag_version_id, created_at, last_parsed_at)
          values (${dagId}, 'x.ts', ${id}, ${now}, ${now})
          on conflict (dag_id) do update set dag_version_id = excluded.dag_version_id`;
        await tx`
          insert into dag_version
            (id, dag_id, version_number, meaning_hash, bundle_hash, entry, spec, created_at)
          values (${id}, ${dagId}, ${versionNumber}, ${id}, '0', 'x.ts',
            ${JSON.stringify(spec)}::text::jsonb, ${now})`;
      });
    }).catch(this.onDifference);
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    this.#pending++;
    const turn = this.#queue.then(work).finally(() => this.#pending--);
    this.#queue = turn.catch(() => {});
    return turn;
  }

  /** Every run, task instance and attempt must be in the same state in both. */
  async compare(): Promise<void> {
    await this.idle();
    const tasks = await this.sql<{ line: string }[]>`
      select id || ' ' || map_index || ' ' || state || ' ' || try_number || ' ' || max_tries
        || ' ' || coalesce(attempt_id::text, '-') as line from task_instance`;
    same(
      "task instances",
      tasks,
      [...this.memory.tasks()].map((t) =>
        `${t.id} ${t.mapIndex} ${t.state} ${t.tryNumber} ${t.maxTries} ${t.attemptId ?? "-"}`
      ),
    );
    const runs = await this.sql<{ line: string }[]>`select id || ' ' || state as line from dag_run`;
    same("runs", runs, this.memory.runs().map((run) => `${run.id} ${run.state}`));
    const attempts = await this.sql<{ line: string }[]>`
      select id || ' ' || state || ' ' || coalesce(end_reason, '-') as line from attempt`;
    same(
      "attempts",
      attempts,
      this.memory.attempts().map((a) => `${a.id} ${a.state} ${a.endReason ?? "-"}`),
    );
    const told = await this.sql<{ line: string }[]>`
      select type || ' ' || subject || ' ' || ordinal as line from event_outbox`;
    const wanted = this.memory.outbox();
    same("events", told, wanted.map((e) => `${e.type} ${e.subject} ${e.ordinal}`));
    const deadlines = await this.sql<{ line: string }[]>`
      select id || ' ' || missed || ' ' || (settled_at is not null) as line from deadline`;
    same(
      "deadlines",
      deadlines,
      this.memory.deadlines().map((d) => `${d.id} ${d.missed} ${d.settledAt !== null}`),
    );
  }
}

interface Answer {
  value?: unknown;
  error?: unknown;
}

async function answerOf(make: () => Promise<unknown>): Promise<Answer> {
  return await make().then((value) => ({ value }), (error) => ({ error }));
}

/** Parts of an answer that have no order. */
const sets: ReadonlySet<string> = new Set([
  "newRuns",
  "taskMoves",
  "runMoves",
  "expansions",
  "cancels",
  "missed",
]);

/** What of an answer must be the same: which rows, in which order where there is one. */
function summary({ value, error }: Answer): string {
  if (error !== undefined) {
    const isExpected = hasCode(error, "LEASE_LOST") || hasCode(error, "CONFLICT");
    return isExpected ? (error as { code: string }).code : `error: ${messageOf(error)}`;
  }
  return JSON.stringify(value, (key, part) => {
    if (sets.has(key)) return (part as string[]).toSorted();
    if (part?.attempt) {
      return {
        attempt: part.attempt.id,
        tryNumber: part.task.tryNumber,
        event: part.resumption?.event ?? null,
      };
    }
    if (part?.waitingDags && part.isNew !== undefined) {
      return { ...part, id: null, waitingDags: part.waitingDags.toSorted() };
    }
    if (part?.runId && part.state) return { id: part.id, state: part.state };
    if (part === null || typeof part !== "object" || Array.isArray(part)) return part;
    return Object.fromEntries(Object.entries(part).toSorted(([a], [b]) => a < b ? -1 : 1));
  }) ?? "nothing";
}

function same(what: string, found: readonly { line: string }[], wanted: readonly string[]) {
  const known = new Set(wanted);
  const odd = found.map(({ line }) => line).filter((line) => !known.has(line));
  if (odd.length === 0 && found.length === wanted.length) return;
  throw new Violation(
    `PostgreSQL has ${found.length} ${what}, the memory store ${wanted.length}; ` +
      `only there: ${odd.slice(0, 3).join(", ")}`,
  );
}
