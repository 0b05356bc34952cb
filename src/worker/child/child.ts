/** @module A task's process: imports one DAG module and runs its tasks, one at a time. */
import { systemClock } from "../../base/clock.ts";
import { limits } from "../../base/limits.ts";
import { logger } from "../../base/log.ts";
import type { Ask, ChildTask, FromChild, ToChild } from "../../contract/child.ts";
import { messageOf } from "../../model/errors.ts";
import { runTask } from "../../sdk/execute.ts";
import { fromChildError, toChildError } from "../child_error.ts";
import { type AskSupervisor, attemptServices } from "../task_services.ts";
import { captureOutput } from "./console.ts";
import type { Wire } from "./wire.ts";

/** Exit code after an error that nobody caught. */
const EXIT_UNCAUGHT = 70;

type Module = Readonly<Record<string, unknown>>;
type Imported = { module: Module } | { error: unknown };

const exit = Deno.exit;

/** Lives as long as its supervisor keeps the wire open. */
export class Child {
  readonly #wire: Wire;
  readonly #module: string;
  readonly #answers = new Map<number, PromiseWithResolvers<unknown>>();
  #asked = 0;
  #running: AbortController | null = null;
  #flush = () => {};

  /** `module` is the URL of the bundle's module. */
  constructor(wire: Wire, module: string) {
    this.#wire = wire;
    this.#module = module;
  }

  /** Import the module, then run what comes; returns when the supervisor is gone. */
  async live(): Promise<void> {
    this.#flush = captureOutput((level, message) => this.#log(level, message));
    this.#watchUncaught();
    const imported = importModule(this.#module);
    imported.then(() => this.#wire.send({ type: "ready" }));
    await this.#wire.listen((frame) => this.#take(frame, imported));
  }

  #take(frame: ToChild, imported: Promise<Imported>): void {
    switch (frame.type) {
      case "run":
        imported.then((result) => this.#run(frame.task, result));
        break;
      case "cancel":
        this.#running?.abort(new DOMException(frame.reason, "AbortError"));
        break;
      case "reply":
        this.#settle(frame);
    }
  }

  async #run(task: ChildTask, imported: Imported): Promise<void> {
    if ("error" in imported) return this.#wire.send(importFailure(task, imported.error));
    const running = this.#running = new AbortController();
    const services = attemptServices({
      ask: this.#ask,
      log: logger((level, message, fields) => {
        if (this.#running === running) this.#log(level, message, fields);
      }),
      signal: running.signal,
      clock: systemClock,
      workDir: task.workDir,
    });
    let last: FromChild;
    try {
      const outcome = await runTask(imported.module, task.workload, services);
      last = { type: "outcome", outcome };
    } catch (error) {
      last = { type: "failed", error: toChildError(error) };
    }
    services.close();
    // An uncaught error may have ended the attempt meanwhile.
    if (this.#running !== running) return;
    this.#flush();
    this.#running = null;
    this.#wire.send(last);
  }

  #ask: AskSupervisor = (ask: Ask) => {
    const id = ++this.#asked;
    const answer = Promise.withResolvers<unknown>();
    this.#answers.set(id, answer);
    this.#wire.send({ type: "ask", id, ask });
    // The supervisor answers in the type that belongs to the question.
    return answer.promise as Promise<never>;
  };

  #settle({ id, value, error }: Extract<ToChild, { type: "reply" }>): void {
    const answer = this.#answers.get(id);
    this.#answers.delete(id);
    if (error) answer?.reject(fromChildError(error));
    else answer?.resolve(value);
  }

  #log(
    level: Extract<FromChild, { type: "log" }>["level"],
    message: string,
    fields: Readonly<Record<string, unknown>> = {},
  ): void {
    const text = message.length > limits.logLineBytes
      ? message.slice(0, limits.logLineBytes) + ` … (${message.length} characters)`
      : message;
    this.#wire.send({ type: "log", level, message: text, ...fieldsOf(fields) });
  }

  /** The runtime would end the process without saying which attempt it was. */
  #watchUncaught(): void {
    const end = (error: unknown) => {
      if (this.#running) {
        this.#running = null;
        this.#wire.send({ type: "failed", error: toChildError(error), exiting: true });
      }
      exit(EXIT_UNCAUGHT);
    };
    addEventListener("unhandledrejection", (event) => {
      event.preventDefault();
      end(event.reason);
    });
    addEventListener("error", (event) => {
      event.preventDefault();
      end(event.error);
    });
  }
}

async function importModule(url: string): Promise<Imported> {
  try {
    return { module: await import(url) };
  } catch (error) {
    return { error };
  }
}

function importFailure(task: ChildTask, error: unknown): FromChild {
  const { entry, hash } = task.workload.bundle;
  const failure = toChildError(error);
  return {
    type: "failed",
    error: {
      ...failure,
      message: `Cannot import ${entry} of bundle ${hash.slice(0, 12)}: ${messageOf(error)}`,
      detail: { endReason: "bundle" },
    },
  };
}

function fieldsOf(
  fields: Readonly<Record<string, unknown>>,
): Pick<Extract<FromChild, { type: "log" }>, "fields"> {
  if (Object.keys(fields).length === 0) return {};
  try {
    const text = JSON.stringify(
      fields,
      (_key, value) =>
        typeof value === "bigint"
          ? String(value)
          : value instanceof Error
          ? `${value.name}: ${value.message}`
          : value,
    );
    if (text.length <= limits.logLineBytes) return { fields: JSON.parse(text) };
    return { fields: { cut: `fields of ${text.length} characters` } };
  } catch (error) {
    return { fields: { unprintable: messageOf(error) } };
  }
}
