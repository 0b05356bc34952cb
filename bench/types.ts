/** @module The bench of types, as `deno task bench types` prints it: see {@link ./types_scores.ts}. */
import model from "../operators/convert/inference/semantic/model.json" with { type: "json" };
import { corpus } from "../tests/support/corpora.ts";
import type { Figure } from "./pipeline.ts";
import { piiScore, syntacticScore } from "./types_scores.ts";

/** The figures of `deno task bench types`; those of corpora that are absent are left out. */
export async function typesBench(): Promise<Figure[]> {
  const { figures } = model;
  const share = (value: number) => value * 100;
  return [
    ...await syntacticFigures(),
    {
      what: "SortingHat's nine classes, five folds at random (at training)",
      value: share(figures["five folds of columns at random"].accuracy),
      unit: "%",
      goal: "93",
    },
    {
      what: "SortingHat's nine classes, files never seen (at training)",
      value: share(figures["five folds of whole files"].accuracy),
      unit: "%",
    },
    ...await piiFigures(),
  ];
}

async function syntacticFigures(): Promise<Figure[]> {
  const dir = corpus("sortinghat");
  if (dir === null) return [];
  const { right, columns } = await syntacticScore(dir);
  const what = `syntactic types of ${columns} columns by five values`;
  return [{ what, value: right / columns * 100, unit: "%", goal: "95" }];
}

async function piiFigures(): Promise<Figure[]> {
  const dir = corpus("pii");
  if (dir === null) return [];
  const { f1, wrong, missed } = await piiScore(dir);
  const what = `personal data: F1 of exact spans (${wrong} wrong, ${missed} missed)`;
  return [{ what, value: f1 * 100, unit: "%", goal: "92" }];
}
