/** @module Roles of the program, each in a process of its own, as in a deployment. */
import { main, noSettings } from "./product.ts";
import { until } from "./until.ts";

/** A running role. */
export interface RoleProcess {
  readonly pid: number;
  readonly url: string;
  /** Where its metrics are; null where they are switched off. */
  readonly metricsUrl: string | null;
  /** What it wrote to its standard error. */
  output(): Promise<string>;
  /** Send a signal and wait until it is gone. */
  end(signal: "SIGTERM" | "SIGKILL"): Promise<Deno.CommandStatus>;
}

/** How a role is started. */
export interface RoleOptions {
  /** Folder of its own: its home and its output. */
  dir: string;
  env: Record<string, string>;
}

/** Start one role on any free ports, by its arguments (`["worker", "--queue", "default"]`). */
export async function startRole(args: string[], { dir, env }: RoleOptions): Promise<RoleProcess> {
  await Deno.mkdir(dir, { recursive: true });
  const log = `${dir}/output.log`;
  const child = new Deno.Command("sh", {
    args: ["-c", 'exec "$@" >"$LOG" 2>&1', "sh", Deno.execPath()].concat(
      ["run", "-A", "--quiet", main, ...args],
    ),
    env: {
      ...noSettings,
      TIDEWHEEL_HOME: `${dir}/home`,
      TIDEWHEEL_PORT: "0",
      TIDEWHEEL_METRICS_PORT: "0",
      LOG_LEVEL: "INFO",
      NO_COLOR: "1",
      ...env,
      LOG: log,
    },
    cwd: dir,
    stdin: "null",
    stdout: "null",
    stderr: "null",
  }).spawn();
  child.unref();
  let hasEnded = false;
  child.status.then(() => hasEnded = true);
  const output = () => Deno.readTextFile(log).catch(() => "");
  const up = await until(`${args.join(" ")} to be up`, async () => {
    if (hasEnded) throw new Error(`It ended: ${await output()}`);
    const line = (await output()).split("\n").find((each) => each.includes(`"${args[0]} is up"`));
    return line ? JSON.parse(line) as { url: string; metrics?: string } : null;
  }, { withinMs: 30_000 }).catch((error) => {
    if (!hasEnded) child.kill("SIGKILL");
    throw error;
  });
  return {
    pid: child.pid,
    url: up.url,
    metricsUrl: up.metrics ?? null,
    output,
    async end(signal) {
      child.ref();
      if (!hasEnded) child.kill(signal);
      return await child.status;
    },
  };
}
