/** @module What becomes of personal data: a policy, by column or by kind. */
import { z } from "zod";
import { type PiiClass, piiClasses } from "./classes.ts";

/** What is done with the values of a column. */
export const PiiAction = z.enum(["keep", "mask", "hash", "tokenise", "truncate", "drop"]);
/** See {@link PiiAction}. */
export type PiiAction = z.infer<typeof PiiAction>;

/** Actions that need a key. */
const keyed: ReadonlySet<PiiAction> = new Set(["hash", "tokenise"]);
/** Actions that make text of any type. */
const toText: ReadonlySet<PiiAction> = new Set(["mask", "hash", "tokenise"]);

/** Where the key of hashes and pseudonyms comes from: never from the DAG's file. */
export const PiiKey = z.union([
  z.object({ connection: z.string().min(1) }).meta({ doc: "The password of this connection" }),
  z.object({ variable: z.string().min(1) }).meta({ doc: "The text of this variable" }),
]);
/** See {@link PiiKey}. */
export type PiiKey = z.infer<typeof PiiKey>;

/** Parameters of an operator that writes tables. */
export const piiParams = {
  pii: z.record(z.string(), PiiAction).default({}).meta({
    doc: `What becomes of personal data: by column, or by kind (${piiClasses.join(", ")}) for ` +
      "every column that is found to be of it. mask: all but its last four signs, or its end, is " +
      "hidden. hash: HMAC-SHA-256. tokenise: a short stable pseudonym. truncate: the year, the " +
      "first three signs, the network. drop: the column is left out. keep: it stays as it is",
    example: { email: "hash", phone: "mask", birth_date: "truncate" },
  }),
  piiKey: PiiKey.optional().meta({
    doc: "Key of hash and tokenise; the same key gives the same results",
    example: { connection: "pii_key" },
  }),
};

/** What {@link checkPii} looks at. */
export interface PiiParams {
  pii: Readonly<Record<string, PiiAction>>;
  piiKey?: PiiKey;
  schema?: { columns: readonly { name: string; type: string }[] };
}

/** What is wrong with a policy that can be said before the data is there; null: nothing. */
export function checkPii({ pii, piiKey, schema }: PiiParams): string | null {
  const needsKey = Object.entries(pii).find(([, action]) => keyed.has(action));
  if (needsKey && piiKey === undefined) {
    return `"${needsKey[0]}" is to be ${
      needsKey[1]
    }d and there is no key: give piiKey a connection`;
  }
  for (const { name, type } of schema?.columns ?? []) {
    const action = pii[name];
    if (action === "drop") {
      return `column "${name}" is declared and to be dropped: take it out of the schema`;
    }
    if (action !== undefined && toText.has(action) && !/^(?:varchar|text|string)$/i.test(type)) {
      return `column "${name}" is declared ${type} and ${action} makes text of it: declare VARCHAR`;
    }
  }
  return null;
}

/** A column as policies see it. */
export interface PolicyColumn {
  name: string;
  kind: PiiClass | null;
}

/** Actions by column: what is said of the column itself goes before what is said of its kind. */
export function piiActions(
  pii: PiiParams["pii"],
  columns: readonly PolicyColumn[],
): Map<string, PiiAction> {
  const actions = new Map<string, PiiAction>();
  for (const { name, kind } of columns) {
    const action = pii[name] ?? (kind === null ? undefined : pii[kind]);
    if (action !== undefined && action !== "keep") actions.set(name, action);
  }
  return actions;
}

/** Names in a policy that are neither a column nor a kind. */
export function unknownNames(pii: PiiParams["pii"], columns: readonly PolicyColumn[]): string[] {
  const known = new Set<string>([...piiClasses, ...columns.map(({ name }) => name)]);
  return Object.keys(pii).filter((name) => !known.has(name));
}

/** The SQL type of a column after an action. */
export function typeAfter(action: PiiAction, type: string): string {
  return toText.has(action) ? "VARCHAR" : type;
}
