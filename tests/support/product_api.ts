/** @module A running product over its REST API, as tests talk to it. */
import { until, type UntilOptions } from "./until.ts";

/** A run as the API shows it. */
export interface Run {
  dag_id: string;
  dag_run_id: string;
  state: "queued" | "running" | "success" | "failed";
  end_reason: string | null;
  logical_date: string | null;
}

/** A task instance as the API shows it. */
export interface TaskInstance {
  task_id: string;
  map_index: number;
  rendered_map_index: string | null;
  state: string | null;
  internal_state: string;
  try_number: number;
  end_reason: string | null;
  attempt_id: string | null;
  start_date: string | null;
  end_date: string | null;
}

/** An attempt as the API shows it. */
export interface Attempt {
  attempt_id: string;
  task_id: string;
  map_index: number;
  try_number: number;
  state: string;
  end_reason: string | null;
  evidence: {
    message?: string;
    exitCode?: number;
    signal?: string;
    by?: string;
    retryReason?: string;
  };
  pid: number | null;
  start_date: string | null;
  end_date: string | null;
  accounting: Record<string, number> | null;
}

/** One line of a log. */
export interface LogLine {
  event: string;
  level: string;
  logger: string;
}

/** An answer of the API. */
export interface Answer<T = unknown> {
  status: number;
  body: T;
}

/** Calls of the API; those with a name fail the test when the API refuses. */
export class ProductApi {
  readonly #where: () => { url: string; token: string };

  /** `where` is asked at each call: a restarted product may be elsewhere. */
  constructor(where: () => { url: string; token: string }) {
    this.#where = where;
  }

  /** Any request; the answer whatever its status. */
  async call<T = Record<string, unknown>>(
    method: string,
    path: string,
    { body, token }: { body?: unknown; token?: string | null } = {},
  ): Promise<Answer<T>> {
    const { url, token: ours } = this.#where();
    const bearer = token === undefined ? ours : token;
    const response = await fetch(`${url}${path}`, {
      method,
      headers: {
        accept: "application/json",
        ...(bearer === null ? {} : { authorization: `Bearer ${bearer}` }),
        ...(body === undefined ? {} : { "content-type": "application/json" }),
      },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
    const text = await response.text();
    return { status: response.status, body: (text === "" ? null : JSON.parse(text)) as T };
  }

  /** The body of an answer that must be a good one, waited for while the database is away. */
  async get<T = Record<string, unknown>>(path: string): Promise<T> {
    const answer = await until(`an answer to GET ${path}`, async () => {
      const given = await this.call<T>("GET", path);
      return given.status === 503 ? undefined : given;
    });
    return goodBody("GET", path, answer);
  }

  /** The same with a body to send. */
  async send<T = Record<string, unknown>>(
    method: "POST" | "PATCH" | "PUT" | "DELETE",
    path: string,
    body?: unknown,
  ): Promise<T> {
    return await this.#good<T>(method, path, body);
  }

  /** Wait until the DAG is listed; when it is not, the failure says what is wrong with DAG files. */
  async listed(dagId: string, options?: UntilOptions): Promise<void> {
    await until(
      `DAG ${dagId} to be listed`,
      async () => (await this.call("GET", `/api/v2/dags/${dagId}`)).status === 200,
      options,
    ).catch(async (error) => {
      const errors = await this.get("/api/v2/importErrors");
      throw new Error(`${error.message}: ${JSON.stringify(errors)}`);
    });
  }

  /** Start a run. */
  async trigger(
    dagId: string,
    conf: Record<string, unknown> = {},
    more: Record<string, unknown> = {},
  ): Promise<Run> {
    await this.listed(dagId);
    return await this.send<Run>("POST", `/api/v2/dags/${dagId}/dagRuns`, { conf, ...more });
  }

  /** The run as it is now. */
  async run(run: Run): Promise<Run> {
    return await this.get<Run>(path(run));
  }

  /** Wait until it has ended. */
  async ended(run: Run, options?: UntilOptions): Promise<Run> {
    return await until(`run ${run.dag_run_id} of ${run.dag_id} to end`, async () => {
      const now = await this.run(run);
      return (now.state === "success" || now.state === "failed") && now;
    }, options);
  }

  /** Start a run and wait until it has ended. */
  async runDag(
    dagId: string,
    conf: Record<string, unknown> = {},
    options?: UntilOptions,
  ): Promise<Run> {
    return await this.ended(await this.trigger(dagId, conf), options);
  }

  /** All task instances of a run. */
  async tasks(run: Run): Promise<TaskInstance[]> {
    const page = await this.get<{ task_instances: TaskInstance[] }>(
      `${path(run)}/taskInstances?limit=1000`,
    );
    return page.task_instances;
  }

  /** State by task, `task[index]` for mapped ones. */
  async states(run: Run): Promise<Record<string, string>> {
    return Object.fromEntries(
      (await this.tasks(run)).map((task) => [
        task.map_index < 0 ? task.task_id : `${task.task_id}[${task.map_index}]`,
        task.internal_state,
      ]),
    );
  }

  /** One task instance. */
  async task(run: Run, taskId: string, mapIndex = -1): Promise<TaskInstance> {
    const found = (await this.tasks(run)).find((task) =>
      task.task_id === taskId && task.map_index === mapIndex
    );
    if (!found) throw new Error(`Run ${run.dag_run_id} has no task ${taskId}[${mapIndex}]`);
    return found;
  }

  /** Attempts of a run, or of one of its tasks, oldest first. */
  async attempts(run: Run, taskId?: string): Promise<Attempt[]> {
    const page = await this.get<{ attempts: Attempt[] }>(`${path(run)}/attempts?limit=1000`);
    return page.attempts
      .filter((attempt) => taskId === undefined || attempt.task_id === taskId)
      .sort((a, b) => (a.attempt_id < b.attempt_id ? -1 : 1));
  }

  /** The newest attempt of a task. */
  async lastAttempt(run: Run, taskId: string): Promise<Attempt> {
    const last = (await this.attempts(run, taskId)).at(-1);
    if (!last) throw new Error(`Task ${taskId} of run ${run.dag_run_id} has no attempt`);
    return last;
  }

  /** The output of a task. */
  async output<T = unknown>(run: Run, taskId: string, mapIndex = -1): Promise<T> {
    const entry = await this.get<{ value: T }>(
      `${path(run)}/taskInstances/${taskId}/xcomEntries/return_value` +
        `?map_index=${mapIndex}&deserialize=true`,
    );
    return entry.value;
  }

  /** The log of a try as far as it is there. */
  async log(run: Run, taskId: string, tryNumber = 1): Promise<LogLine[]> {
    const { content } = await this.get<{ content: LogLine[] }>(
      `${path(run)}/taskInstances/${taskId}/logs/${tryNumber}?full_content=true`,
    );
    return content;
  }

  /** Wait for a line of the task's log that has `text` in it. */
  async said(run: Run, taskId: string, text: string, tryNumber = 1): Promise<string> {
    const line = await until(
      `task ${taskId} to say "${text}"`,
      async () =>
        (await this.log(run, taskId, tryNumber)).find(({ event }) => event.includes(text)),
    );
    return line.event;
  }

  async #good<T>(method: string, path: string, body?: unknown): Promise<T> {
    return goodBody(method, path, await this.call<T>(method, path, { body }));
  }
}

function goodBody<T>(method: string, path: string, answer: { status: number; body: T }): T {
  if (answer.status < 300) return answer.body;
  throw new Error(`${method} ${path}: ${answer.status} ${JSON.stringify(answer.body)}`);
}

/** Path of a run. */
export function path(run: Run): string {
  return `/api/v2/dags/${run.dag_id}/dagRuns/${encodeURIComponent(run.dag_run_id)}`;
}
