/** @module Raw versions that a table was made from, and how its columns came to be. */
import type { ColumnLineage, PublishIntent, TableRef } from "../../src/model/data.ts";

/** A raw dataset's partition, at the content that was read. */
export type TableInput = PublishIntent["inputs"][number];

/** The inputs of a table, from `<dataset>@<partition>#<sha256>`; any other text is left out. */
export function tableInputs({ inputs }: Pick<TableRef, "inputs">): TableInput[] {
  return inputs.flatMap((text) => {
    const match = text.match(/^([a-z0-9_.]+)@(.+?)(?:#([0-9a-f]{64}))?$/s);
    return match ? [{ dataset: match[1], partition: match[2], sha256: match[3] ?? null }] : [];
  });
}

/**
 * How each column came to be. A column of which the table says nothing has the name that it had in
 * the raw datasets.
 */
export function columnLineage(
  table: Pick<TableRef, "schema" | "inputs" | "sources" | "columns">,
): ColumnLineage[] {
  const read = tableInputs(table).map(({ dataset }) => dataset);
  const datasets = read.length > 0 ? read : table.sources.map((source) => `raw.${source}`);
  const unique = [...new Set(datasets)].sort();
  return table.schema.columns.map(({ name }) =>
    table.columns?.find(({ column }) => column === name) ?? {
      column: name,
      inputs: unique.map((dataset) => ({ dataset, column: name })),
      transformation: "same name",
    }
  );
}
