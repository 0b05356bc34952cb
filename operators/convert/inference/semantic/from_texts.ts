/** @module A column's texts as the model of meanings looks at them. */
import type { TextCounts } from "../reading.ts";
import { samplesMax, type SemanticColumn } from "./features.ts";

/** Figures of a column and its first texts; `isNumeric`: most of them are plain numbers. */
export function semanticColumn(
  name: string,
  texts: TextCounts,
  { nulls, isNumeric }: { nulls: number; isNumeric: boolean },
): SemanticColumn {
  let rows = nulls;
  for (const count of texts.values()) rows += count;
  return {
    name,
    rows,
    nulls,
    distinct: texts.size,
    numbers: isNumeric ? figuresOf(texts) : null,
    samples: [...texts.keys()].slice(0, samplesMax),
  };
}

function figuresOf(texts: TextCounts): SemanticColumn["numbers"] {
  let [count, sum, squares] = [0, 0, 0];
  let [min, max] = [Infinity, -Infinity];
  for (const [text, times] of texts) {
    const value = Number(text);
    if (!Number.isFinite(value)) continue;
    count += times;
    sum += times * value;
    squares += times * value * value;
    min = Math.min(min, value);
    max = Math.max(max, value);
  }
  if (count === 0) return null;
  const mean = sum / count;
  return { mean, deviation: Math.sqrt(Math.max(0, squares / count - mean * mean)), min, max };
}
