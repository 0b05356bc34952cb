/** @module The door to Prometheus: typed by the catalogue, free of cost when switched off. */
import { Counter, Gauge, Histogram, Registry } from "prom-client";
import {
  type CounterName,
  counters,
  type GaugeName,
  gauges,
  type HistogramName,
  histograms,
  type LabelsOf,
} from "./catalog.ts";

/** Counts and measures; names and labels are those of the catalogue. */
export interface Metrics {
  /** False: nothing is kept, and there is nothing to serve. */
  readonly enabled: boolean;
  inc<N extends CounterName>(name: N, labels: LabelsOf<typeof counters[N]>, by?: number): void;
  set<N extends GaugeName>(name: N, labels: LabelsOf<typeof gauges[N]>, value: number): void;
  observe<N extends HistogramName>(
    name: N,
    labels: LabelsOf<typeof histograms[N]>,
    value: number,
  ): void;
  /** Forget all label values of a gauge, before a full count of what is there now. */
  reset(name: GaugeName): void;
  /** Called before each scrape, to set gauges that are read and not kept. Returns how to undo it. */
  collect(read: () => void | Promise<void>): () => void;
  /** The text that Prometheus reads. */
  render(): Promise<string>;
  readonly contentType: string;
}

/**
 * Live metrics, each labelled with the `environment` where one is given; `enabled: false` gives ones
 * that do nothing (`PROMETHEUS_ENABLED=false`).
 */
export function createMetrics(
  { enabled = true, environment }: { enabled?: boolean; environment?: string } = {},
): Metrics {
  return enabled ? liveMetrics(environment) : noMetrics;
}

/** Counts nothing. */
export const noMetrics: Metrics = {
  enabled: false,
  inc() {},
  set() {},
  observe() {},
  reset() {},
  collect: () => () => {},
  render: () => Promise.resolve(""),
  contentType: "text/plain; version=0.0.4; charset=utf-8",
};

type Labels = Record<string, string>;

function liveMetrics(environment: string | undefined): Metrics {
  const registry = new Registry();
  if (environment !== undefined) registry.setDefaultLabels({ environment });
  const readers = new Set<() => void | Promise<void>>();
  const all = {
    counters: build(counters, (given) => new Counter({ ...given, registers: [registry] })),
    gauges: build(gauges, (given) => new Gauge({ ...given, registers: [registry] })),
    histograms: build(
      histograms,
      (given, buckets) => new Histogram({ ...given, buckets, registers: [registry] }),
    ),
  };
  return {
    enabled: true,
    inc(name, labels, by = 1) {
      if (labels) all.counters[name].inc(labels as Labels, by);
      else all.counters[name].inc(by);
    },
    set(name, labels, value) {
      if (labels) all.gauges[name].set(labels as Labels, value);
      else all.gauges[name].set(value);
    },
    observe(name, labels, value) {
      if (labels) all.histograms[name].observe(labels as Labels, value);
      else all.histograms[name].observe(value);
    },
    reset: (name) => all.gauges[name].reset(),
    collect(read) {
      readers.add(read);
      return () => readers.delete(read);
    },
    async render() {
      await Promise.all([...readers].map((read) => read()));
      return await registry.metrics();
    },
    contentType: registry.contentType,
  };
}

interface Given {
  name: string;
  help: string;
  labelNames: string[];
}

function build<D extends Record<string, object>, M>(
  described: D,
  make: (given: Given, buckets: number[]) => M,
): { [N in keyof D]: M } {
  return Object.fromEntries(
    Object.entries(described).map(([name, entry]) => {
      const { help, labels = [], buckets = [] } = entry as {
        help: string;
        labels?: string[];
        buckets?: number[];
      };
      return [name, make({ name, help, labelNames: [...labels] }, [...buckets])];
    }),
  ) as { [N in keyof D]: M };
}
