/** @module Options of the verbs on files, read and checked. */
import type { z } from "zod";
import type { VerbOptions } from "../../cli/mod.ts";
import { AppError, messageOf } from "../../model/errors.ts";
import { ReadParams } from "../../../operators/convert/params.ts";
import type { UnpackParams } from "../../../operators/convert/prepare/containers/params.ts";

/** Options that both verbs have. */
export interface FileOptions {
  read: Partial<ReadParams>;
  unpack: Partial<UnpackParams>;
  memoryBytes: number;
  downloadBytesMax: number;
}

/** Throws INVALID for what is none. */
export function readFileOptions(options: VerbOptions): FileOptions {
  const given = options.read === undefined ? {} : parseJson(String(options.read), "--read");
  const read = {
    ...(given as Record<string, unknown>),
    ...(options.format ? { format: options.format } : {}),
    ...(options.encoding ? { encoding: String(options.encoding) } : {}),
  };
  const known = check(ReadParams.strict(), read, options.read ? "--read" : "--format");
  return {
    read: Object.fromEntries(Object.entries(known).filter(([name]) => name in read)),
    unpack: {
      ...known.unpack,
      ...(options.members ? { members: String(options.members) } : {}),
    },
    memoryBytes: sizeOf("--memory", String(options.memory)),
    downloadBytesMax: sizeOf("--download-max", String(options.downloadMax)),
  };
}

/** The JSON in a file, checked. Throws INVALID with what is wrong and where. */
export async function readJsonFile<T>(
  schema: z.ZodType<T>,
  path: string,
  option: string,
): Promise<T> {
  const text = await Deno.readTextFile(path).catch((error) => {
    throw new AppError("INVALID", `Cannot read ${option} ${path}: ${messageOf(error)}`);
  });
  return check(schema, parseJson(text, `${option} ${path}`), `${option} ${path}`);
}

function check<T>(schema: z.ZodType<T>, value: unknown, option: string): T {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const where = issue.path.join(".") || "it";
  throw new AppError("INVALID", `Cannot use ${option}: ${where}: ${issue.message}`);
}

function parseJson(text: string, option: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new AppError("INVALID", `Cannot use ${option}: it is no JSON: ${messageOf(error)}`);
  }
}

const units: Readonly<Record<string, number>> = {
  "": 1,
  k: 1e3,
  m: 1e6,
  g: 1e9,
  t: 1e12,
  ki: 2 ** 10,
  mi: 2 ** 20,
  gi: 2 ** 30,
  ti: 2 ** 40,
};

/** Bytes of `2GB`, `512MiB`, `1000`. */
export function sizeOf(option: string, text: string): number {
  const match = /^(\d+(?:\.\d+)?)\s*([kmgt]i?)?b?$/i.exec(text.trim());
  if (match) return Math.floor(Number(match[1]) * units[(match[2] ?? "").toLowerCase()]);
  throw new AppError("INVALID", `Cannot use ${option} ${text}: write a size such as 512MB or 2GiB`);
}

/** One of several words. */
export function oneOf<T extends string>(option: string, value: string, allowed: readonly T[]): T {
  const found = allowed.find((one) => one === value);
  if (found !== undefined) return found;
  throw new AppError(
    "INVALID",
    `Cannot use ${option} ${value}: it is one of ${allowed.join(", ")}`,
  );
}
