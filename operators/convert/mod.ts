/** @module `convert`: raw files into one table of Parquet, nothing lost. */
import { z } from "zod";
import { RawFiles, TableRef } from "../../src/model/data.ts";
import { operator, type OperatorOptions } from "../../src/sdk/operator.ts";
import type { TaskRef } from "../../src/sdk/ref.ts";
import type { ColumnName, ColumnTypes, Table, TableDef } from "../../src/sdk/table.ts";
import { PiiKey } from "../pii/policy.ts";
import type { TargetName } from "./formats/names.ts";
import { type ColumnMapping, ConvertParams } from "./params.ts";

const inputs = { from: RawFiles };

type Options = OperatorOptions<typeof ConvertParams, typeof inputs>;

/** Options of {@link convert} with a declared table. */
export type ConvertOptions<C extends ColumnTypes> = Omit<Options, "schema" | "columns" | "to"> & {
  to?: "parquet";
  schema: TableDef<C>;
  /** Where columns come from, for those that have another name in the file. */
  columns?: { readonly [K in ColumnName<C>]?: ColumnMapping };
};

/** {@link convert} as authors call it. */
export interface Convert {
  <C extends ColumnTypes>(options: ConvertOptions<C>): TaskRef<Table<C>>;
  (options: Options & { schema?: undefined; to?: "parquet" }): TaskRef<TableRef>;
  /** Into a file of another format, for those outside: what it holds is accounted for as well. */
  (options: Options & { to: Exclude<TargetName, "parquet"> }): TaskRef<RawFiles>;
}

/**
 * Convert raw files of any known format into a table: see the guide on formats. Numbers keep all their
 * digits; a value that its column cannot hold exactly sends its row to quarantine, with file, row and
 * reason.
 */
export const convert = operator({
  name: "convert",
  summary: "Convert raw files into a table with a declared schema, quarantining what does not fit",
  params: ConvertParams,
  inputs,
  connections: ({ piiKey }) => {
    const key = PiiKey.safeParse(piiKey);
    return key.success && "connection" in key.data ? [key.data.connection] : [];
  },
  output: z.discriminatedUnion("kind", [TableRef, RawFiles]),
  load: () => import("./run.ts"),
}).as<Convert>();
