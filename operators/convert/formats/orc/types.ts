/** @module Types of ORC as types of staged columns. */
import type { StagedType } from "../staged_type.ts";
import type { OrcType } from "./tail.ts";

/** Types by column where a value was found that the usual one cannot hold. */
export type WiderTypes = Map<number, StagedType>;

/** A value that the column's type cannot hold exactly; this one may. */
export class Misfit extends Error {
  readonly column: number;
  readonly wider: StagedType;

  constructor(column: number, wider: StagedType) {
    super(`column ${column} needs the type ${JSON.stringify(wider)}`);
    this.column = column;
    this.wider = wider;
  }
}

/** Digits of a decimal, and those behind the point, of files that do not tell them (Hive 0.11). */
const untoldDecimal = [38, 18] as const;

/**
 * The type of a column. A union is a struct of the branch's number, `tag`, and a field a branch; a
 * struct without fields, which no table has, is a boolean: it is there.
 */
export function stagedTypeOf(type: OrcType, wider: WiderTypes): StagedType {
  const found = wider.get(type.id);
  if (found !== undefined) return found;
  const { children } = type;
  switch (type.kind) {
    case "boolean":
      return "BOOLEAN";
    case "byte":
      return "TINYINT";
    case "short":
      return "SMALLINT";
    case "int":
      return "INTEGER";
    case "long":
      return "BIGINT";
    case "float":
      return "FLOAT";
    case "double":
      return "DOUBLE";
    case "string":
    case "char":
    case "varchar":
      return "VARCHAR";
    case "binary":
      return "BLOB";
    case "date":
      return "DATE";
    case "timestamp":
      return "TIMESTAMP_NS";
    case "timestamp_instant":
      return "TIMESTAMP WITH TIME ZONE";
    case "decimal":
      return decimalType(type);
    case "list":
      return { list: stagedTypeOf(children[0], wider) };
    case "map":
      return { map: [stagedTypeOf(children[0], wider), stagedTypeOf(children[1], wider)] };
    case "struct":
    case "union":
      return structType(type, wider);
  }
}

function decimalType({ precision, scale }: OrcType): StagedType {
  if (precision === 0) return { decimal: untoldDecimal };
  return precision > 38 || scale > precision ? "VARCHAR" : { decimal: [precision, scale] };
}

function structType(type: OrcType, wider: WiderTypes): StagedType {
  const names = memberNames(type);
  const fields = type.children.map((child, i) => ({
    name: names[i],
    type: stagedTypeOf(child, wider),
  }));
  if (type.kind === "union") return { struct: [{ name: "tag", type: "UTINYINT" }, ...fields] };
  return fields.length === 0 ? "BOOLEAN" : { struct: fields };
}

/** Names of a struct's fields or a union's branches; different also to those that know no case. */
export function memberNames({ kind, children, fieldNames }: OrcType): string[] {
  if (kind === "union") return children.map((_, i) => `field${i}`);
  const taken = new Set<string>();
  return fieldNames.map((name) => {
    let unique = name || "field";
    for (let n = 1; taken.has(unique.toLowerCase()); n++) unique = `${name}_${n}`;
    taken.add(unique.toLowerCase());
    return unique;
  });
}
