/** @module Which columns of a table are personal data, and what becomes of them. */
import { AppError } from "../../src/model/errors.ts";
import type { TaskContext } from "../../src/sdk/context.ts";
import type { PiiClass } from "../pii/classes.ts";
import { piiOfColumn, piiOfName } from "../pii/column.ts";
import { type PiiAction, piiActions, unknownNames } from "../pii/policy.ts";
import type { OpenFile } from "./convert_files.ts";
import { sampleColumns } from "./inference/sample.ts";
import type { ConvertParams } from "./params.ts";
import type { Types } from "./types.ts";

/** What is known of a column that is personal data or treated as such. */
export interface PrivateColumn {
  kind: PiiClass | null;
  action: Exclude<PiiAction, "keep"> | null;
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
  const kinds = new Map<string, PiiClass | null>();
  const unread: string[] = [];
  for (const [name, { verdict, type }] of types) {
    kinds.set(name, verdict?.pii.kind ?? piiOfName(name));
    if (verdict === null && type.kind === "text") unread.push(name);
  }
  const hasPolicy = Object.keys(params.pii).length > 0;
  if (hasPolicy && unread.length > 0) {
    const isAnyText: NonNullable<Parameters<typeof sampleColumns>[4]> = ({ columns }, index) =>
      columns[index].type === "VARCHAR";
    const sampled = await sampleColumns(open, unread, params, engine, isAnyText);
    for (const [name, { texts }] of sampled) {
      kinds.set(name, piiOfColumn(name, texts.keys()).kind ?? kinds.get(name) ?? null);
    }
  }
  const columns = [...kinds].map(([name, kind]) => ({ name, kind }));
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
  return new Map(columns.flatMap(({ name, kind }) => {
    const action = (actions.get(name) ?? null) as PrivateColumn["action"];
    return kind === null && action === null ? [] : [[name, { kind, action }]];
  }));
}
