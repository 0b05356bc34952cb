/** @module Progress of a run: one block of lines redrawn in a terminal, plain lines elsewhere. */
import { type Output, seconds } from "./print.ts";
import type { TaskInstanceShape } from "./shapes.ts";

/** Shows how a run goes. */
export interface LiveRun {
  show(tasks: readonly TaskInstanceShape[]): void;
  /** The last picture stays. */
  done(): void;
}

const marks: Record<string, string> = {
  success: "✓",
  running: "▸",
  queued: "·",
  scheduled: "·",
  failed: "✗",
  upstream_failed: "✗",
  skipped: "-",
  up_for_retry: "↻",
};

/** Progress on `output`. */
export function liveRun(output: Output): LiveRun {
  return output.isTerminal ? redrawn(output) : plain(output);
}

function redrawn(output: Output): LiveRun {
  let drawn = 0;
  return {
    show(tasks) {
      if (drawn > 0) output.out(`\x1b[${drawn}A\x1b[J`);
      for (const task of tasks) output.out(line(task) + "\n");
      drawn = tasks.length;
    },
    done() {},
  };
}

function plain(output: Output): LiveRun {
  const seen = new Map<string, string>();
  return {
    show(tasks) {
      for (const task of tasks) {
        const name = `${task.task_id}[${task.map_index}]`;
        const state = task.state ?? "none";
        if (state === "none" || seen.get(name) === state) continue;
        seen.set(name, state);
        output.out(line(task) + "\n");
      }
    },
    done() {},
  };
}

function line(task: TaskInstanceShape): string {
  const state = task.state ?? "none";
  const name = task.map_index < 0 ? task.task_id : `${task.task_id}[${task.map_index}]`;
  const took = task.duration === null ? "" : seconds(task.duration);
  return `${marks[state] ?? " "} ${name.padEnd(32)} ${state.padEnd(16)} ${took}`.trimEnd();
}
