/** @module What a running task is given, made of questions to its supervisor. */
import type { Clock } from "../base/clock.ts";
import type { Logger } from "../base/log.ts";
import type { Answers, Ask } from "../contract/child.ts";
import { AppError } from "../model/errors.ts";
import type { TaskServices } from "../sdk/execute.ts";

/** Asks the supervisor; rejects with its error. */
export type AskSupervisor = <W extends Ask["what"]>(
  ask: Extract<Ask, { what: W }>,
) => Promise<Answers[W]>;

/** Services of one attempt; {@link close} when it is over. */
export interface AttemptServices extends TaskServices {
  /** From now on every question is refused: code that outlives its attempt has no rights left. */
  close(): void;
}

/** The services of one attempt. */
export function attemptServices(
  { ask, log, signal, clock, workDir }: {
    ask: AskSupervisor;
    log: Logger;
    signal: AbortSignal;
    clock: Clock;
    workDir: string;
  },
): AttemptServices {
  let isOver = false;
  const askWhileOpen: AskSupervisor = (question) =>
    isOver
      ? Promise.reject(
        new AppError("GONE", `Cannot ask for ${question.what}: the attempt has ended`),
      )
      : ask(question);
  const open = (key: string) => askWhileOpen<"file.open">({ what: "file.open", key });
  return {
    log,
    signal,
    clock,
    workDir,
    connection: (connectionId) => askWhileOpen<"connection">({ what: "connection", connectionId }),
    files: {
      open: (file) => open(file.key),
      put: (path, options = {}) => askWhileOpen<"file.put">({ what: "file.put", path, ...options }),
    },
    engine: {
      run: (sql, options = {}) =>
        askWhileOpen<"engine">({ what: "engine", request: { sql, ...options } }),
    },
    dataset: (dataset, partition) =>
      askWhileOpen<"dataset.latest">({ what: "dataset.latest", dataset, partition }),
    variable: (key) => askWhileOpen<"variable">({ what: "variable", key }),
    label: async (label) => void await askWhileOpen<"label">({ what: "label", label }),
    object: async (key) => JSON.parse(await Deno.readTextFile(await open(key))),
    close() {
      isOver = true;
    },
  };
}
