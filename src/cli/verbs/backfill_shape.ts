/** @module A backfill as the command line knows it. */

/** A backfill as the API gives it. */
export interface BackfillShape {
  id: number;
  dag_id: string;
  from_date: string;
  to_date: string;
  state: string;
  cascade_id: number | null;
  max_active_runs: number;
  share: number;
  created_at: string;
  completed_at: string | null;
  runs: {
    planned: number;
    pending: number;
    queued: number;
    running: number;
    success: number;
    failed: number;
    left_out: number;
    left_out_by: Record<string, number>;
  };
}

/** How much of it is done. */
export function percent({ runs }: BackfillShape): string {
  if (runs.planned === 0) return "100 %";
  const done = runs.success + runs.failed + runs.left_out;
  return `${Math.floor(100 * done / runs.planned)} %`;
}
