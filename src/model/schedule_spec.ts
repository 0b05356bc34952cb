/** @module When a DAG's runs are due, as data. */
import { z } from "zod";
import { Calendar } from "./calendar.ts";
import { WatchSpec } from "./watch_spec.ts";

/** What a run's start is counted from. */
export const sessionEdges = ["open", "close", "break_start", "break_end"] as const;
/** One of {@link sessionEdges}. */
export type SessionEdge = (typeof sessionEdges)[number];

const OwnCalendars = z.record(z.string(), Calendar).optional().meta({
  doc: "Those of the calendars that do not come with the product, by name",
});

/** Trading time: a run for each session of one or several calendars. */
export const SessionsSpec = z.object({
  kind: z.literal("sessions"),
  calendars: z.array(z.string()).min(1).meta({ doc: "MICs, and names such as TARGET" }),
  own: OwnCalendars,
  open: z.enum(["all", "any"]).default("all").meta({
    doc: "A day counts when all of the calendars are open, or any of them",
  }),
  edge: z.enum(sessionEdges).default("close"),
  offsetMs: z.int().default(0).meta({ doc: "From the edge to the run; negative: before it" }),
  everyMs: z.int().min(1000).nullable().default(null).meta({
    doc: "A run for each stretch of this length during the session",
  }),
  nth: z.int().min(-23).max(23).nullable().default(null).meta({
    doc: "Only the nth session of the month; negative: counted from its end",
  }),
  interval: z.enum(["session", "previous"]).default("session").meta({
    doc: "The data interval: the session itself, or the one before it",
  }),
});
/** See {@link SessionsSpec}. */
export type SessionsSpec = z.infer<typeof SessionsSpec>;

/** Dated releases; each is due as its date was known. */
const ReleasesSpec = z.object({
  kind: z.literal("releases"),
  id: z.string(),
  releases: z.array(z.object({
    at: z.iso.datetime(),
    announced: z.iso.datetime().optional().meta({ doc: "Not known of before" }),
    changes: z.array(z.object({
      announced: z.iso.datetime(),
      at: z.iso.datetime().nullable().meta({ doc: "Null: called off" }),
    })).optional().meta({
      doc: "Oldest first; one that came after the date then known counts not",
    }),
  })).min(1),
  offsetMs: z.int().default(0).meta({ doc: "From the release to the run; negative: before it" }),
  until: z.iso.datetime().nullable().default(null).meta({ doc: "Nothing is known after it" }),
});
/** See {@link ReleasesSpec}. */
export type ReleasesSpec = z.infer<typeof ReleasesSpec>;

const periodic = [
  z.object({ kind: z.literal("cron"), cron: z.string(), timezone: z.string() }),
  z.object({ kind: z.literal("interval"), everyMs: z.int().min(1000) }),
  z.object({ kind: z.literal("events"), at: z.array(z.iso.datetime()).min(1) }),
  SessionsSpec,
  ReleasesSpec,
] as const;

/** Spans of the calendar that partitions are rolled up into. */
export const rollupSpans = ["week", "month", "quarter", "year"] as const;
/** One of {@link rollupSpans}. */
export type RollupSpan = (typeof rollupSpans)[number];

/** To which partition of a DAG an event's partition belongs, and what that one needs to be whole. */
const PartitionSpec = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("each") }).meta({ doc: "The same partition" }),
  z.object({
    kind: z.literal("rollup"),
    over: z.enum(rollupSpans),
    sessions: z.string().nullable().default(null).meta({
      doc: "It needs this calendar's sessions; null: every day",
    }),
    own: OwnCalendars,
  }),
  z.object({
    kind: z.literal("groups"),
    groups: z.record(z.string(), z.array(z.string()).min(1)).meta({
      doc: "By the DAG's partition: the partitions that it needs",
    }),
  }),
]);
/** See {@link PartitionSpec}. */
export type PartitionSpec = z.infer<typeof PartitionSpec>;

const combinations = [
  z.object({
    kind: z.literal("any"),
    of: z.array(z.discriminatedUnion("kind", periodic)).min(1),
  }).meta({ doc: "Due whenever one of these is" }),
  z.object({
    kind: z.literal("all"),
    of: z.array(z.discriminatedUnion("kind", periodic)).min(1),
  }).meta({ doc: "Due at the instants at which all of these are" }),
] as const;

/** A schedule that fires by itself at known instants. */
const TimeSpec = z.discriminatedUnion("kind", [...periodic, ...combinations]);
/** See {@link TimeSpec}. */
export type TimeSpec = z.infer<typeof TimeSpec>;

const DatasetsSpec = z.object({
  kind: z.literal("datasets"),
  datasets: z.array(z.string()).min(1).meta({ doc: "All that it names, sorted" }),
  anyOf: z.array(z.array(z.string()).min(1)).min(1).meta({
    doc: "Due when each dataset of one of these lists has a version that no run has taken",
  }),
  partition: PartitionSpec.optional().meta({ doc: "Runs are for partitions, each by itself" }),
  watch: WatchSpec.optional().meta({ doc: "Where the events of its dataset come from" }),
  or: TimeSpec.optional().meta({ doc: "Also due by time, without taking what waits" }),
  at: z.object({
    time: TimeSpec,
    orAt: z.string().regex(/^([01]\d|2[0-3]):[0-5]\d$/).nullable().meta({
      doc: "Local time from which on it no longer waits for the datasets",
    }),
    timezone: z.string(),
  }).optional().meta({ doc: "Due by time, once the datasets are there too" }),
});
/** See {@link DatasetsSpec}. */
export type DatasetsSpec = z.infer<typeof DatasetsSpec>;

/**
 * When runs are due. Cron, interval and combined runs carry the data interval that ends at the
 * tick; a run of a session carries the session; an event is an empty interval.
 */
export const ScheduleSpec = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("none") }),
  z.object({ kind: z.literal("once") }),
  z.object({ kind: z.literal("continuous") }).meta({
    doc:
      "A run begins when the one before it has ended; its interval begins where that one's ended",
  }),
  DatasetsSpec,
  ...periodic,
  ...combinations,
]);
/** See {@link ScheduleSpec}. */
export type ScheduleSpec = z.infer<typeof ScheduleSpec>;

/**
 * What becomes of intervals that were missed. true: all of them; false: the newest; "none": only
 * runs that are on time; `windowMs`: those that were due in so long a time before now.
 */
export const Catchup = z.union([
  z.boolean(),
  z.literal("none"),
  z.object({ windowMs: z.int().positive() }),
]);
/** See {@link Catchup}. */
export type Catchup = z.infer<typeof Catchup>;

/** A time of the day at which runs do not start. */
export const MaintenanceSpec = z.object({
  from: z.string().regex(/^([01]\d|2[0-3]):[0-5]\d$/).meta({ doc: "Local time", example: "22:00" }),
  durationMs: z.int().min(60_000).max(7 * 86_400_000),
  weekdays: z.array(z.int().min(1).max(7)).min(1).meta({ doc: "On which it begins; Monday is 1" }),
  then: z.enum(["skip", "delay", "run_after"]).meta({
    doc: "Runs due in it: none; each at its end; only the newest, at its end",
  }),
});
/** See {@link MaintenanceSpec}. */
export type MaintenanceSpec = z.infer<typeof MaintenanceSpec>;

/** Days, both included, on which no run is due. */
export const BlackoutSpec = z.object({ from: z.iso.date(), to: z.iso.date() });
/** See {@link BlackoutSpec}. */
export type BlackoutSpec = z.infer<typeof BlackoutSpec>;

/** When a pool gives no slots out; what has one goes on. */
export const PoolClosings = z.object({
  timezone: z.string(),
  maintenance: z.array(MaintenanceSpec.omit({ then: true })),
  blackout: z.array(BlackoutSpec),
});
/** See {@link PoolClosings}. */
export type PoolClosings = z.infer<typeof PoolClosings>;
