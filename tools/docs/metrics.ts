/** @module The page of metrics, from the catalogue. */
import { counters, gauges, histograms } from "../../src/metrics/catalog.ts";
import { code, page, table } from "./markdown.ts";

interface Described {
  help: string;
  labels?: readonly string[];
  buckets?: readonly number[];
}

/** `docs/reference/metrics.md`. */
export function metricsPage(): string {
  return page(
    "Metrics",
    "Served at `/metrics` in Prometheus' text format.",
    chapter("Counters", counters),
    chapter("Gauges", gauges),
    chapter("Histograms", histograms),
  );
}

function chapter(heading: string, metrics: Readonly<Record<string, Described>>): string {
  const rows = Object.entries(metrics).map(([name, { help, labels = [], buckets }]) => [
    code(name),
    labels.map(code).join(", "),
    help + (buckets ? `; buckets ${buckets.join(", ")}` : ""),
  ]);
  return `## ${heading}\n\n${table(["name", "labels", "what it says"], rows)}`;
}
