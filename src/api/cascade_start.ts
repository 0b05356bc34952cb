/** @module Cascades: previewed and started. */
import type { z } from "zod";
import { AppError } from "../model/errors.ts";
import { type CascadeNeed, createCascade, type NewCascadeNode } from "../store/backfill_cascade.ts";
import type { NewBackfill, PlannedDate } from "../store/backfill_port.ts";
import { type BackfillPreview, previewBackfill } from "./backfill.ts";
import { estimateBackfill } from "./backfill_estimate.ts";
import { type CascadeNode, planCascade } from "./cascade.ts";
import { requireDag, type Rest } from "./rest.ts";
import type { BackfillBody } from "./shapes/backfill.ts";
import type { CascadeNodePreview } from "./views/backfill.ts";

/** What would become of all that is downstream. */
export async function previewCascade(
  rest: Rest,
  body: Pick<z.output<typeof BackfillBody>, "dag_id" | "max_active_runs"> & { asItWas: boolean },
  { wanted }: BackfillPreview,
): Promise<CascadeNodePreview[]> {
  const nodes = await planCascade(rest, body.dag_id, wanted);
  const previews: CascadeNodePreview[] = [];
  for (const node of nodes) {
    if (node.kind !== "dates") {
      previews.push({ node, preview: null, estimate: null });
      continue;
    }
    const { dagId } = node;
    const how = { dagId, reprocess: "completed", asItWas: body.asItWas } as const;
    const preview = await previewBackfill(rest, how, node.dates);
    const version = await rest.versions.get((await requireDag(rest, dagId)).versionId);
    const estimate = await estimateBackfill(rest, version, {
      count: preview.wanted.length,
      maxActiveRuns: body.max_active_runs,
    });
    previews.push({ node, preview, estimate });
  }
  return previews;
}

/** Start a backfill and, waiting for it, those of all that is downstream; the first one's id. */
export async function startCascade(
  rest: Rest,
  backfill: NewBackfill,
  dates: readonly PlannedDate[],
): Promise<string> {
  const request = {
    dagId: backfill.dagId,
    reprocess: backfill.reprocessBehavior,
    asItWas: !backfill.runOnLatestVersion && !backfill.force,
  };
  const { wanted } = await previewBackfill(rest, request, dates);
  if (wanted.length === 0) {
    throw new AppError(
      "INVALID",
      `Cannot cascade from DAG "${backfill.dagId}": no date of it would run; give a ` +
        "reprocess_behavior under which its runs run again",
    );
  }
  const below = (await planCascade(rest, backfill.dagId, wanted))
    .filter((node) => node.kind !== "left out");
  const places = new Map(
    [backfill.dagId, ...below.map((node) => node.dagId)].map((id, i) => [id, i] as const),
  );
  const nodes: NewCascadeNode[] = [
    { backfill, kind: "dates", dates, partitions: [], upstream: [], needs: [] },
    ...below.map((node) => newNode(node, backfill, places)),
  ];
  const [id] = await createCascade(rest.sql, nodes, rest.clock.now());
  rest.hints.publish({ topic: "dags", ids: nodes.map((node) => node.backfill.dagId) });
  return id;
}

/** Runs that exist run again; in the order of the first, unless the DAG depends on the past. */
function newNode(
  node: CascadeNode,
  first: NewBackfill,
  places: ReadonlyMap<string, number>,
): NewCascadeNode {
  const runBackwards = first.runBackwards && !node.dependsOnPast;
  const dates = runBackwards ? node.dates.toReversed() : node.dates;
  const [fromDate, toDate] = node.dates.length > 0
    ? [node.dates[0].logicalDate, node.dates.at(-1)!.logicalDate]
    : [first.fromDate, first.toDate];
  return {
    kind: node.kind === "events" ? "events" : "dates",
    ...{ dates, partitions: node.partitions },
    needs: [
      ...node.needs.flatMap(({ unit, upstream: { dagId, unit: above } }) => {
        const index = places.get(dagId);
        return index === undefined ? [] : [{ unit, upstream: { index, unit: above } }];
      }),
      ...(node.dependsOnPast ? inARow(node.dates, places.get(node.dagId)!) : []),
    ],
    backfill: {
      ...first,
      ...{ dagId: node.dagId, fromDate, toDate, runBackwards },
      dagRunConf: {},
      reprocessBehavior: "completed",
    },
    upstream: node.upstream.filter(({ dagId }) => places.has(dagId))
      .map(({ dagId, datasets }) => ({ index: places.get(dagId)!, datasets })),
  };
}

/** Each date waits for the one before it. */
function inARow(dates: readonly PlannedDate[], index: number): CascadeNeed[] {
  const units = dates.map((date) => date.logicalDate.toISOString());
  return units.slice(1).map((unit, i) => ({ unit, upstream: { index, unit: units[i] } }));
}
