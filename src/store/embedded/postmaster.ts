/** @module One running PostgreSQL: start it, wait until it answers, stop it, find one left over. */
import type { Clock } from "../../base/clock.ts";
import { AppError } from "../../model/errors.ts";
import type { Binaries } from "./binaries.ts";
import type { Place } from "./place.ts";

/** How long a start may take: recovery after a crash included. */
const startMsMax = 120_000;
/** Steps of a stop: fast shutdown, then immediate, then the end. */
const stopSteps = [["SIGINT", 15_000], ["SIGQUIT", 5_000], ["SIGKILL", 5_000]] as const;
const pollMs = 10;

/** A server process that is ours. */
export interface Postmaster {
  pid: number;
  /** Resolves when the process is gone. */
  ended: Promise<{ code: number; signal: string | null }>;
  stop(): Promise<void>;
}

/**
 * Start a server on `dataDir` and return when it takes connections. It gets a session of its own,
 * so that Ctrl-C in our terminal is not a shutdown of the database. Throws UNAVAILABLE with the end
 * of its log when it does not come up.
 */
export async function startPostmaster(
  { binaries, place, dataDir, clock }: {
    binaries: Binaries;
    place: Place;
    dataDir: string;
    clock: Clock;
  },
): Promise<Postmaster> {
  const { user } = place;
  const child = new Deno.Command(binaries.postgres, {
    args: ["-D", dataDir],
    cwd: dataDir,
    ...(user ? { uid: user.uid, gid: user.gid } : {}),
    clearEnv: true,
    env: { LC_ALL: "C", TZ: "UTC", HOME: place.dir },
    stdin: "null",
    stdout: "null",
    stderr: "piped",
    detached: true,
  }).spawn();
  const words = tail(child.stderr);
  let gone = false;
  const ended = child.status.then(({ code, signal }) => {
    gone = true;
    return { code, signal };
  });
  const deadlineMs = clock.monotonicMs() + startMsMax;
  while (!await isReady(dataDir, child.pid)) {
    if (gone || clock.monotonicMs() > deadlineMs) {
      if (!gone) signalProcess(child.pid, "SIGKILL");
      const { code, signal } = await ended;
      throw startError(place, signal ?? `code ${code}`, await words());
    }
    await clock.sleep(pollMs);
  }
  return {
    pid: child.pid,
    ended,
    async stop() {
      await stopBySignals(child.pid, () => Promise.resolve(gone), clock);
      await ended;
      await words();
    },
  };
}

/** Does a server run on `dataDir` that takes connections? */
export async function isServing(dataDir: string): Promise<boolean> {
  const pid = Number((await readPidFile(dataDir))?.[0]);
  return pid > 0 && await isReady(dataDir, pid) && await isPostmasterOf(pid, dataDir);
}

/**
 * Stop a server that an earlier process of ours left on `dataDir`, and remove its marks; its pid, or
 * null: none ran. Only for the holder of the place's lock.
 */
export async function stopLeftover(
  { place, dataDir, clock }: { place: Place; dataDir: string; clock: Clock },
): Promise<number | null> {
  const pid = Number((await readPidFile(dataDir))?.[0]);
  const runs = pid > 0 && await isPostmasterOf(pid, dataDir);
  if (runs) await stopBySignals(pid, async () => !await isPostmasterOf(pid, dataDir), clock);
  await removeMarks(place, dataDir);
  return runs ? pid : null;
}

/**
 * PostgreSQL would take any process with the number in these files for its own and refuse to start;
 * in a container the numbers come back after each restart.
 */
async function removeMarks(place: Place, dataDir: string): Promise<void> {
  await Deno.remove(`${dataDir}/postmaster.pid`).catch(() => {});
  for await (const { name } of Deno.readDir(`${place.dir}/run`)) {
    if (name.startsWith(".s.PGSQL.")) await Deno.remove(`${place.dir}/run/${name}`).catch(() => {});
  }
}

/**
 * Is `pid` a PostgreSQL on this data folder? Neither a number that went to another program is, nor
 * a dead process that nobody waited for: its command line is empty.
 */
async function isPostmasterOf(pid: number, dataDir: string): Promise<boolean> {
  if (!isAlive(pid)) return false;
  return (await commandOf(pid)).includes(dataDir);
}

/** Command line of a process; "" when it is gone. */
async function commandOf(pid: number): Promise<string> {
  if (Deno.build.os === "linux") {
    return await Deno.readTextFile(`/proc/${pid}/cmdline`).catch(() => "");
  }
  const { stdout } = await new Deno.Command("ps", {
    args: ["-ww", "-o", "command=", "-p", String(pid)],
    stderr: "null",
  }).output();
  return new TextDecoder().decode(stdout);
}

async function stopBySignals(
  pid: number,
  isGone: () => Promise<boolean>,
  clock: Clock,
): Promise<void> {
  for (const [signal, waitMs] of stopSteps) {
    if (await isGone()) return;
    signalProcess(pid, signal);
    const deadlineMs = clock.monotonicMs() + waitMs;
    while (!await isGone() && clock.monotonicMs() < deadlineMs) await clock.sleep(pollMs);
  }
  if (!await isGone()) {
    throw new AppError("UNAVAILABLE", `Cannot stop the embedded PostgreSQL: pid ${pid} stays`);
  }
}

function isAlive(pid: number): boolean {
  try {
    Deno.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Deno.errors.PermissionDenied;
  }
}

function signalProcess(pid: number, signal: Deno.Signal): void {
  try {
    Deno.kill(pid, signal);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound) && !(error instanceof TypeError)) throw error;
  }
}

async function isReady(dataDir: string, pid: number): Promise<boolean> {
  const lines = await readPidFile(dataDir);
  return lines !== null && Number(lines[0]) === pid && lines[7]?.trim() === "ready";
}

async function readPidFile(dataDir: string): Promise<string[] | null> {
  const text = await Deno.readTextFile(`${dataDir}/postmaster.pid`).catch(() => null);
  return text === null ? null : text.split("\n");
}

/** Keep the last words of a stream; the result resolves when it ends. */
function tail(stream: ReadableStream<Uint8Array>): () => Promise<string> {
  let text = "";
  const done = stream.pipeThrough(new TextDecoderStream()).pipeTo(
    new WritableStream({ write: (chunk) => void (text = (text + chunk).slice(-4000)) }),
  );
  return () => done.then(() => text, () => text);
}

function startError(place: Place, how: string, words: string): AppError {
  const logs = `${place.dir}/log`;
  let log = "";
  try {
    const newest = [...Deno.readDirSync(logs)]
      .map(({ name }) => ({ name, at: Deno.statSync(`${logs}/${name}`).mtime!.getTime() }))
      .toSorted((a, b) => b.at - a.at)[0];
    if (newest) log = Deno.readTextFileSync(`${logs}/${newest.name}`).slice(-2000);
  } catch {
    // The words on standard error are all there is.
  }
  return new AppError(
    "UNAVAILABLE",
    `Cannot start the embedded PostgreSQL in ${place.dir}: it ended with ${how}; its last words: ` +
      `${(words + log).trim() || "none"}`,
  );
}
