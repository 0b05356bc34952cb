/** @module Which columns of a table are personal data, and what becomes of them. */
import { AppError } from "../../src/model/errors.ts";
import type { TaskContext } from "../../src/sdk/context.ts";
import type { PiiClass } from "../pii/classes.ts";
import { type PiiFinding, piiOfColumn, piiOfName } from "../pii/column.ts";
import { type PiiAction, piiActions, unknownNames } from "../pii/policy.ts";
import type { OpenFile } from "./convert_files.ts";
import { sampleColumns } from "./inference/sample.ts";
import type { ConvertParams } from "./params.ts";
import type { Types } from "./types.ts";

/** What is known of a column that is personal data or treated as such. */
export interface PrivateColumn {
  kind: PiiClass | null;
  /** Kinds within longer texts, which policies by kind do not reach. */
  within: readonly PiiClass[];
  action: Exclude<PiiAction, "keep"> | null;
}

/** Columns with personal data within their texts that the policy leaves as they are. */
export function unreached(privacy: Privacy, pii: ConvertParams["pii"]): string[] {
  return [...privacy].filter(([name, { action, within }]) =>
    action === null && pii[name] === undefined && within.some((kind) => pii[kind] !== undefined)
  ).map(([name]) => name);
}

/** By column; one that is not in it is nobody's. */
export type Privacy = ReadonlyMap<string, PrivateColumn>;

/**
 * Find personal data by the inferred columns' texts, and the others' names; with a policy, by the
 * texts of all. Throws INVALID for a policy on a column that is not there.
 */
export async function privacyOf(
  open: readonly OpenFile[],
  types: Types,
  params: ConvertParams,
  engine: TaskContext["engine"],
): Promise<Privacy> {
  const findings = new Map<string, PiiFinding>();
  const unread: string[] = [];
  for (const [name, { verdict, type }] of types) {
    const { kind, within } = verdict?.pii ?? { kind: null, within: [] };
    findings.set(name, { kind: kind ?? piiOfName(name), within });
    if (verdict === null && type.kind === "text") unread.push(name);
  }
  const hasPolicy = Object.keys(params.pii).length > 0;
  if (hasPolicy && unread.length > 0) {
    const isAnyText: NonNullable<Parameters<typeof sampleColumns>[4]> = ({ columns }, index) =>
      columns[index].type === "VARCHAR";
    const sampled = await sampleColumns(open, unread, params, engine, isAnyText);
    for (const [name, { texts }] of sampled) {
      const { kind, within } = piiOfColumn(name, texts.keys());
      findings.set(name, { kind: kind ?? findings.get(name)!.kind, within });
    }
  }
  const columns = [...findings].map(([name, finding]) => ({ name, ...finding }));
  const unknown = hasPolicy ? unknownNames(params.pii, columns) : [];
  if (unknown.length > 0) {
    throw new AppError(
      "INVALID",
      `Cannot apply the policy of personal data: ${
        unknown.map((name) => `"${name}"`).join(", ")
      } ` +
        `is no column and no kind; columns are ${[...types.keys()].join(", ")}`,
    );
  }
  const actions = piiActions(params.pii, columns);
  return new Map(columns.flatMap(({ name, kind, within }) => {
    const action = (actions.get(name) ?? null) as PrivateColumn["action"];
    const isPrivate = kind !== null || within.length > 0 || action !== null;
    return isPrivate ? [[name, { kind, within, action }]] : [];
  }));
}
