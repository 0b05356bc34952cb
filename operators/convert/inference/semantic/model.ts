/**
 * @module What a column means, in the nine classes of SortingHat: does it hold figures to compute
 * with, categories, dates, sentences, keys…; the type alone does not say it.
 *
 * The weights are trained by `models/column_types/train.py`; its card is beside it.
 */
import { hashBits, type SemanticColumn, semanticFeatures } from "./features.ts";
import model from "./model.json" with { type: "json" };

/** See {@link meaningOf}. */
export type Meaning =
  | "numeric"
  | "categorical"
  | "datetime"
  | "sentence"
  | "url"
  /** Numbers with more around them: `$5`, `12 kg`. */
  | "embedded-number"
  | "list"
  /** Nothing to learn from: keys, constants, empty columns. */
  | "not-generalizable"
  /** Nobody can tell without its context. */
  | "context-specific";

interface Linear {
  scale: number;
  bias: number[];
  weights: Int8Array;
}

const labels = model.labels as Meaning[];
const nameModel = linear(model.name);
const valueModel = linear(model.value);
const trees = {
  features: new Int16Array(bytesOf(model.trees.features).buffer),
  thresholds: new Float32Array(bytesOf(model.trees.thresholds).buffer),
  rights: new Uint16Array(bytesOf(model.trees.rights).buffer),
  starts: new Uint32Array(bytesOf(model.trees.starts).buffer),
};

/** The most probable class of a column, with its probability. */
export function meaningOf(column: SemanticColumn): { meaning: Meaning; probability: number } {
  const { dense, nameParts, valueParts } = semanticFeatures(column);
  const inputs = Float64Array.from([
    ...dense,
    ...scores(nameModel, nameParts),
    ...scores(valueModel, valueParts),
  ]);
  const sums = new Float64Array(labels.length);
  for (const [i, start] of trees.starts.entries()) sums[i % labels.length] += leaf(start, inputs);
  const highest = Math.max(...sums);
  const weights = [...sums].map((sum) => Math.exp(sum - highest));
  const best = sums.indexOf(highest);
  const total = weights.reduce((a, b) => a + b, 0);
  return { meaning: labels[best], probability: Number((weights[best] / total).toFixed(4)) };
}

function leaf(start: number, inputs: Float64Array): number {
  let at = start;
  while (trees.features[at] >= 0) {
    at += inputs[trees.features[at]] <= trees.thresholds[at] ? 1 : trees.rights[at];
  }
  return trees.thresholds[at];
}

function scores({ scale, bias, weights }: Linear, places: readonly number[]): number[] {
  const norm = scale / Math.sqrt(Math.max(1, places.length));
  return bias.map((start, label) => {
    let sum = 0;
    for (const place of places) sum += weights[place * labels.length + label];
    return start + sum * norm;
  });
}

function linear({ scale, bias, weights }: { scale: number; bias: number[]; weights: string }) {
  const found = { scale, bias, weights: new Int8Array(bytesOf(weights).buffer) };
  if (found.weights.length !== (1 << hashBits) * labels.length) {
    throw new Error("The model of column types is of other features: train it anew");
  }
  return found;
}

function bytesOf(text: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.fromBase64(text);
}
