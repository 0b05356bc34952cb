/** @module Which column of a file becomes which column of the table. */
import { AppError } from "../../src/model/errors.ts";
import type { TableSchema } from "../../src/model/data.ts";
import { type ColumnType, columnType } from "../table/column_type.ts";
import { normalName } from "./formats/csv/dialect.ts";
import type { ColumnMapping, Drift } from "./params.ts";

/** Where a column's values come from. */
export type Origin =
  | { kind: "column"; index: number }
  | { kind: "constant"; text: string }
  | { kind: "missing" };

/** A column of the table, for one file. */
export interface Target {
  name: string;
  /** Null until it is inferred. */
  type: ColumnType | null;
  nullable: boolean;
  origin: Origin;
}

/** What becomes of a file's columns. */
export interface FilePlan {
  targets: Target[];
  /** Columns of the file that nobody asked for, by index. */
  extras: number[];
  /** Columns of the table that the file has not. */
  missing: string[];
}

/** What a plan depends on. */
export interface PlanOptions {
  schema: TableSchema | null;
  columns: Readonly<Record<string, ColumnMapping>>;
  ignore: readonly string[];
  onDrift: Drift;
  labels: Readonly<Record<string, string>>;
  /** For messages. */
  fileName: string;
}

/** Plan one file. Throws INVALID for a mapping to nothing, and, frozen, for any drift. */
export function planFile(found: readonly { name: string }[], options: PlanOptions): FilePlan {
  const { schema, columns, ignore, onDrift, labels } = options;
  const used = new Set<number>();
  const find = finder(found);
  const originOf = (name: string): Origin => {
    const mapping = columns[name];
    const origin = mapping === undefined
      ? byName(name, find, labels)
      : mapped(name, mapping, find, options);
    if (origin.kind === "column") used.add(origin.index);
    return origin;
  };
  const declared = schema?.columns ??
    Object.keys(columns).map((name) => ({ name, type: null, nullable: true }));
  const targets: Target[] = declared.map(({ name, type, nullable }) => ({
    name,
    type: type === null ? null : columnType(type),
    nullable,
    origin: originOf(name),
  }));
  const ignored = new Set(ignore.map(normalName));
  const isIgnored = (name: string) => ignore.includes("*") || ignored.has(normalName(name));
  const rest = found.flatMap(({ name }, index) =>
    used.has(index) || /^#?\//.test(name) || isIgnored(name) ? [] : [index]
  );
  const takesNew = schema === null || onDrift === "evolve";
  if (takesNew) {
    targets.push(...rest.map((index) => newTarget(found[index].name, index, targets)));
  }
  const extras = takesNew ? [] : rest;
  const missing = targets.filter(({ origin }) => origin.kind === "missing").map(({ name }) => name);
  if (onDrift === "freeze") refuseDrift(extras.map((i) => found[i].name), missing, options);
  return { targets, extras, missing };
}

function newTarget(name: string, index: number, targets: readonly Target[]): Target {
  let unique = name.startsWith("_tw_") ? name.slice(1) : name;
  const taken = new Set(targets.map((target) => target.name.toLowerCase()));
  for (let n = 1; taken.has(unique.toLowerCase()); n++) unique = `${name}_${n}`;
  return { name: unique, type: null, nullable: true, origin: { kind: "column", index } };
}

type Find = (name: string) => number;

/** By the exact name; else by the one name that is equal without case and signs. */
function finder(found: readonly { name: string }[]): Find {
  const exact = new Map(found.map(({ name }, index) => [name, index]));
  const loose = new Map<string, number>();
  for (const [index, { name }] of found.entries()) {
    const key = normalName(name);
    loose.set(key, loose.has(key) ? -1 : index);
  }
  return (name) => exact.get(name) ?? loose.get(normalName(name)) ?? -1;
}

function byName(name: string, find: Find, labels: Readonly<Record<string, string>>): Origin {
  const index = find(name);
  if (index >= 0) return { kind: "column", index };
  if (Object.hasOwn(labels, name)) return { kind: "constant", text: labels[name] };
  return { kind: "missing" };
}

function mapped(
  name: string,
  mapping: ColumnMapping,
  find: Find,
  { labels, fileName }: PlanOptions,
): Origin {
  if (typeof mapping !== "string") {
    if ("value" in mapping) return { kind: "constant", text: mapping.value };
    if (Object.hasOwn(labels, mapping.label)) {
      return { kind: "constant", text: labels[mapping.label] };
    }
    throw new AppError(
      "INVALID",
      `Cannot fill column "${name}" of ${fileName}: the file has no label "${mapping.label}", ` +
        `only ${Object.keys(labels).join(", ") || "none"}`,
    );
  }
  const index = find(mapping);
  return index >= 0 ? { kind: "column", index } : { kind: "missing" };
}

function refuseDrift(extras: string[], missing: string[], { fileName }: PlanOptions): void {
  if (extras.length === 0 && missing.length === 0) return;
  const parts = [
    ...(extras.length > 0 ? [`it has the new columns ${extras.join(", ")}`] : []),
    ...(missing.length > 0 ? [`it has no column ${missing.join(", ")}`] : []),
  ];
  throw new AppError(
    "INVALID",
    `Cannot convert ${fileName}: ${parts.join(" and ")}, and its schema is frozen`,
    { detail: { newColumns: extras, missingColumns: missing } },
  );
}
