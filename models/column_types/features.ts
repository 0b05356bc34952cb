/** @module Writes the features of labelled columns as JSON lines, for `train.py`. */
import { semanticFeatures } from "../../operators/convert/inference/semantic/features.ts";
import { labelledColumns } from "./sortinghat.ts";

const [from, to] = Deno.args;
const text = new TextDecoder("windows-1252").decode(await Deno.readFile(from));
const lines = labelledColumns(text).map(({ column, label, record }) =>
  JSON.stringify({ label, record, ...semanticFeatures(column) })
);
await Deno.writeTextFile(to, lines.join("\n") + "\n");
console.log(`${lines.length} columns`);
