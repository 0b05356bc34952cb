/**
 * @module A folder of recorded material: outputs of tasks, the files that they speak of, HTTP
 * exchanges, and the connections without their secrets.
 */
import { z } from "zod";
import type { ConnectionSecret } from "../contract/execution.ts";
import { FileRef } from "../model/data.ts";
import { AppError } from "../model/errors.ts";
import type { ObjectStore } from "../objects/port.ts";
import { Exchange, type Scrub } from "./exchanges.ts";

/** What a record says of itself; raise `format` when an older program cannot read it. */
const FORMAT = 1;

const Manifest = z.strictObject({
  format: z.literal(FORMAT),
  dag_id: z.string(),
  date: z.string(),
  outputs: z.record(z.string(), z.json()),
  connections: z.record(z.string(), z.record(z.string(), z.json())),
});

/** A record, read. */
export interface Fixtures {
  dir: string;
  dagId: string;
  /** The interval's start, ISO 8601. */
  date: string;
  /** By task; of a mapped task: an array of its instances' outputs. */
  outputs: Readonly<Record<string, unknown>>;
  exchanges: Exchange[];
  connections: Readonly<Record<string, Partial<ConnectionSecret>>>;
}

/** Read a record; throws NOT_FOUND without it, INVALID when it is none. */
export async function readFixtures(dir: string): Promise<Fixtures> {
  const run = Manifest.safeParse(await json(`${dir}/run.json`));
  const exchanges = z.array(Exchange).safeParse(await json(`${dir}/http.json`));
  const error = run.error ?? exchanges.error;
  if (error) {
    throw new AppError("INVALID", `Cannot read the record ${dir}: ${z.prettifyError(error)}`);
  }
  const { dag_id, date, outputs, connections } = run.data!;
  return {
    ...{ dir, dagId: dag_id, date, outputs, exchanges: exchanges.data! },
    connections: connections as Fixtures["connections"],
  };
}

/** Put the files of a record where the tasks look for them. */
export async function restoreFiles(
  { dir, outputs }: Pick<Fixtures, "dir" | "outputs">,
  objects: ObjectStore,
): Promise<void> {
  for (const { key, sha256 } of filesIn(outputs)) {
    const data = await Deno.readFile(`${dir}/files/${sha256}`).catch((error) => {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
      throw new AppError("NOT_FOUND", `Cannot use the record ${dir}: it lacks files/${sha256}`);
    });
    await objects.put(key, data);
  }
}

/** Write a record. Throws INVALID, and leaves none behind, where a secret is in what tasks put out. */
export async function writeFixtures(
  { dir, dagId, date, outputs, exchanges, connections }: Fixtures,
  { objects, scrub }: { objects: ObjectStore; scrub: Scrub },
): Promise<void> {
  await checkFiles(outputs, objects, scrub);
  await Deno.mkdir(`${dir}/files`, { recursive: true });
  for (const { key, sha256 } of filesIn(outputs)) {
    await Deno.writeFile(`${dir}/files/${sha256}`, await objects.get(key));
  }
  const run = { format: FORMAT, dag_id: dagId, date, outputs: JSON.parse(scrub(text(outputs))) };
  const shown = Object.entries(connections).map(([id, one]) => [id, withoutSecrets(one, scrub)]);
  await Deno.writeTextFile(
    `${dir}/run.json`,
    text({ ...run, connections: Object.fromEntries(shown) }),
  );
  await Deno.writeTextFile(`${dir}/http.json`, text(exchanges));
}

/** A file is kept byte for byte, so one that holds a secret cannot be. */
async function checkFiles(outputs: unknown, objects: ObjectStore, scrub: Scrub): Promise<void> {
  for (const { key, name } of filesIn(outputs)) {
    const content = new TextDecoder("latin1").decode(await objects.get(key));
    if (scrub(content) === content) continue;
    throw new AppError(
      "INVALID",
      `Cannot record the file ${name ?? key}: a connection's secret is in it`,
    );
  }
}

/** A connection that leads where it did, and shows nothing. */
function withoutSecrets(connection: Partial<ConnectionSecret>, scrub: Scrub) {
  const { connectionId: _, login, password, extra, ...rest } = connection;
  return {
    ...rest,
    login: login ? "***" : null,
    password: password ? "***" : null,
    extra: JSON.parse(scrub(JSON.stringify(extra ?? {}))),
  };
}

/** Every file that a value speaks of, each once. */
function filesIn(value: unknown, found = new Map<string, FileRef>()): FileRef[] {
  const parsed = FileRef.safeParse(value);
  if (parsed.success) found.set(parsed.data.key, parsed.data);
  else if (typeof value === "object" && value !== null) {
    for (const member of Object.values(value)) filesIn(member, found);
  }
  return [...found.values()];
}

async function json(path: string): Promise<unknown> {
  try {
    return JSON.parse(await Deno.readTextFile(path));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) {
      throw new AppError("NOT_FOUND", `Cannot read the record: there is no ${path}`);
    }
    throw new AppError("INVALID", `Cannot read the record ${path}: ${(error as Error).message}`);
  }
}

const text = (value: unknown) => JSON.stringify(value, null, 2) + "\n";
