/** @module Labelled columns of the SortingHat benchmark as the model sees columns. */
import type { SemanticColumn } from "../../operators/convert/inference/semantic/features.ts";

/** A column with its class. */
export interface LabelledColumn {
  column: SemanticColumn;
  label: string;
  /** The file that it comes from. */
  record: string;
}

/** Columns of a `data_train.csv` or `data_test.csv`. */
export function labelledColumns(text: string): LabelledColumn[] {
  const [header, ...records] = csvRecords(text);
  return records.filter((record) => record.length === header.length).map((values) => {
    const row = Object.fromEntries(header.map((name, i) => [name, values[i]]));
    const figures = ["mean", "std_dev", "min_val", "max_val"].map((name) => Number(row[name]) || 0);
    const isNumeric = figures.some((figure) => figure !== 0);
    const [mean, deviation, min, max] = figures;
    return {
      label: row.y_act,
      record: row.Record_id,
      column: {
        name: row.Attribute_name,
        rows: Number(row.total_vals),
        nulls: Number(row.num_nans),
        distinct: Number(row.num_of_dist_val),
        numbers: isNumeric ? { mean, deviation, min, max } : null,
        samples: [1, 2, 3, 4, 5].map((i) => row[`sample_${i}`] ?? ""),
      },
    };
  });
}

function csvRecords(text: string): string[][] {
  const records: string[][] = [];
  let record: string[] = [];
  const cell = /(?:"((?:[^"]|"")*)"|([^,\r\n]*))(,|\r\n|\n|\r|$)/gy;
  for (let match = cell.exec(text); match; match = cell.exec(text)) {
    record.push(match[1] === undefined ? match[2] : match[1].replaceAll('""', '"'));
    if (match[3] !== ",") {
      if (record.length > 1) records.push(record);
      record = [];
      if (cell.lastIndex >= text.length) break;
    }
  }
  return records;
}
