import { assert } from "@std/assert";
import { corpus } from "../tests/support/corpora.ts";
import { piiScore, syntacticScore } from "./types_scores.ts";

const [columns, texts] = [corpus("sortinghat"), corpus("pii")];

Deno.test("inferColumn() holds its score on labelled columns", {
  ignore: columns === null, // TIDEWHEEL_CORPORA has no sortinghat
}, async () => {
  const { right, columns: all } = await syntacticScore(columns!);
  assert(right / all > 0.98, `${right} of ${all} are right`);
});

Deno.test("findPii() holds its score on labelled texts", {
  ignore: texts === null, // TIDEWHEEL_CORPORA has no pii
}, async () => {
  const { f1 } = await piiScore(texts!);
  assert(f1 > 0.97, `F1 is ${f1}`);
});
