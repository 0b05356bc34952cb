/** @module Callbacks: who is told of what becomes of runs and tasks, as authors say it. */
import type { DagCallbacks, NoticeTarget, TaskCallbacks } from "../model/notice_spec.ts";
import { canonical, type Json } from "./json.ts";

const noticeBrand = Symbol.for("tidewheel.notice");
/** Targets of one callback, at most. */
const TARGETS_MAX = 20;

/** Someone to tell; made by {@link webhook}, {@link slack} and {@link runDag}. */
export interface Notice {
  readonly [noticeBrand]: true;
  readonly target: NoticeTarget;
}

/** One to tell, or several. */
export type Notices = Notice | readonly Notice[];

/** Options of {@link webhook}. */
export interface WebhookOptions {
  /** Where to; everybody who can read the DAG sees it. */
  url?: string;
  /** A connection: its address where there is no `url`, and its password, which signs requests. */
  connection?: string;
  /** After the connection's address. */
  path?: string;
}

/** Options of {@link runDag}. */
export interface RunDagOptions {
  /** Id of the DAG to start. */
  dag: string;
  /** What its run is given. */
  conf?: Readonly<Record<string, unknown>>;
  /** Name of the param that gets the event's data; without it the run does not know of the event. */
  eventAs?: string;
}

/**
 * Tell an address by HTTP: a POST of a CloudEvent 1.0 as JSON, until it answers 2xx. The event's
 * `id`, also the header `webhook-id`, is the same at each try. With a connection that has a password
 * requests are signed as Standard Webhooks has it. Throws RangeError for what is no address.
 */
export function webhook(options: WebhookOptions): Notice {
  return hook("webhook()", options, "cloudevents");
}

/** The same for Slack's incoming webhooks, and whoever takes their shape: a message in a line. */
export function slack(options: WebhookOptions): Notice {
  return hook("slack()", options, "slack");
}

/** Start a run of another DAG, once for each event. Throws RangeError for conf that is no JSON. */
export function runDag(options: RunDagOptions): Notice {
  const { dag, conf = {}, eventAs } = options;
  checkNames("runDag()", options, ["dag", "conf", "eventAs"]);
  if (typeof dag !== "string" || !/^[A-Za-z0-9_.-]{1,250}$/.test(dag)) {
    throw new RangeError(`runDag() names the DAG ${JSON.stringify(dag)}; give its id`);
  }
  const json = canonical(
    conf,
    (path, problem) =>
      new RangeError(`runDag() has a conf that at ${path || "its top"} ${problem}`),
  );
  return noticeOf({
    kind: "run_dag",
    dagId: dag,
    conf: json as Record<string, Json>,
    eventAs: eventAs ?? null,
  });
}

function hook(what: string, options: WebhookOptions, format: "cloudevents" | "slack"): Notice {
  const { url, connection, path } = options;
  checkNames(what, options, ["url", "connection", "path"]);
  if (url === undefined && connection === undefined) {
    throw new RangeError(`${what} has no address; give url or connection`);
  }
  const isAddress = url === undefined || URL.canParse(url) && /^https?:\/\//.test(url);
  if (!isAddress) {
    throw new RangeError(`${what} has the url ${JSON.stringify(url)}; give one of http or https`);
  }
  if (url !== undefined && path !== undefined) {
    throw new RangeError(`${what} has both url and path; put the path into the url`);
  }
  return noticeOf({
    kind: "webhook",
    url: url ?? null,
    connection: connection ?? null,
    path: path ?? null,
    format,
  });
}

function checkNames(what: string, options: object, names: readonly string[]) {
  const stranger = Object.keys(options).find((name) => !names.includes(name));
  if (stranger === undefined) return;
  throw new RangeError(`${what} has no option "${stranger}"; there are ${names.join(", ")}`);
}

function noticeOf(target: NoticeTarget): Notice {
  return { [noticeBrand]: true, target };
}

/** Targets of `what`; throws RangeError for what is none. */
export function targetsOf(given: Notices, what: string): NoticeTarget[] {
  const notices = [given].flat() as readonly Notice[];
  if (notices.length === 0 || notices.length > TARGETS_MAX) {
    throw new RangeError(`${what} has ${notices.length} targets; give 1 to ${TARGETS_MAX}`);
  }
  return notices.map((notice) => {
    if (typeof notice === "object" && notice !== null && noticeBrand in notice) {
      return notice.target;
    }
    const isFunction = typeof notice === "function"
      ? "; a function of one's own is a task with a trigger rule such as one_failed"
      : "";
    throw new RangeError(
      `${what} is ${isFunction ? "a function" : JSON.stringify(notice)}; ` +
        `give webhook(…), slack(…) or runDag(…)${isFunction}`,
    );
  });
}

/** Callbacks of a DAG. */
export interface DagCallbackOptions {
  /** Told when a run starts. */
  onExecute?: Notices;
  /** Told when a run succeeded. */
  onSuccess?: Notices;
  /** Told when a run failed or was cancelled. */
  onFailure?: Notices;
}

/** Callbacks of a task. */
export interface TaskCallbackOptions {
  /** Told when an instance succeeded. */
  onSuccess?: Notices;
  /** Told when an instance failed for good, or was cancelled while it ran. */
  onFailure?: Notices;
  /** Told when an attempt failed and another one follows. */
  onRetry?: Notices;
  /** Told when it skipped itself; not when a branch or a trigger rule left it out. */
  onSkipped?: Notices;
}

/** A DAG's callbacks as data; undefined: it tells nobody. */
export function dagCallbacks(dagId: string, options: DagCallbackOptions): DagCallbacks | undefined {
  const { onExecute, onSuccess, onFailure } = options;
  const callbacks = compact({
    execute: onExecute && targetsOf(onExecute, "its onExecute"),
    success: onSuccess && targetsOf(onSuccess, "its onSuccess"),
    failure: onFailure && targetsOf(onFailure, "its onFailure"),
  });
  for (const [name, targets] of Object.entries(callbacks ?? {})) {
    if (!targets?.some((target) => target.kind === "run_dag" && target.dagId === dagId)) continue;
    throw new RangeError(
      `its callback on ${name} starts the DAG itself, and so on without an end; ` +
        `for runs one after the other there is continuous()`,
    );
  }
  return callbacks;
}

/** A task's callbacks as data; undefined: it tells nobody. */
export function taskCallbacks(options: TaskCallbackOptions): TaskCallbacks | undefined {
  const { onSuccess, onFailure, onRetry, onSkipped } = options;
  return compact({
    success: onSuccess && targetsOf(onSuccess, "onSuccess"),
    failure: onFailure && targetsOf(onFailure, "onFailure"),
    retry: onRetry && targetsOf(onRetry, "onRetry"),
    skipped: onSkipped && targetsOf(onSkipped, "onSkipped"),
  });
}

function compact<T extends object>(callbacks: T): T | undefined {
  const given = Object.entries(callbacks).filter(([, targets]) => targets !== undefined);
  return given.length === 0 ? undefined : Object.fromEntries(given) as T;
}
