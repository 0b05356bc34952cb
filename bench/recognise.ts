/** @module How often a file is taken for what it is: over the corpora, for the formats that are read. */
import { manners, measure, specimens } from "../tests/support/recognition.ts";
import type { Figure } from "./pipeline.ts";

/** Share of files that are recognised, by the manner in which they are met; mistakes are printed. */
export async function recogniseBench(): Promise<Figure[]> {
  const files = await specimens();
  const figures: Figure[] = [];
  for (const manner of manners) {
    const { right, all, formats, mistakes } = await measure(manner, files);
    const counts = [...formats].map(([format, { right, all }]) => `${format} ${right}/${all}`);
    console.log(`\n${manner.name}: ${counts.join(", ")}`);
    for (const [mistake, paths] of mistakes) {
      const shown = paths.slice(0, 4).map((path) => path.split("/").slice(-2).join("/"));
      console.log(`  ${mistake}: ${paths.length}, such as ${shown.join(", ")}`);
    }
    figures.push({
      what: `recognised ${manner.name}, of ${all} files`,
      value: 100 * right / Math.max(1, all),
      unit: "%",
      goal: "98",
    });
  }
  return figures;
}
