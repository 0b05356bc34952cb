/** @module Routes of the service itself: version, health, metrics, tokens. */
import { AppError } from "../../model/errors.ts";
import { countDags } from "../../store/dag_query.ts";
import type { Authenticator } from "../auth.ts";
import type { Rest } from "../rest.ts";
import type { RouteBook } from "../route.ts";
import { HealthInfo, TokenBody, TokenShape, VersionInfo } from "../shapes/admin.ts";
import { iso } from "../views/dag.ts";

const tag = "Service";

/** A scheduler whose lease did not change for this long is unhealthy, in milliseconds. */
const SCHEDULER_MS = 30_000;

/** Add them. */
export function addMetaRoutes(book: RouteBook, rest: Rest, auth: Authenticator): void {
  book.add({
    method: "get",
    path: "/api/v2/version",
    permission: "health.read",
    tag,
    summary: "The product's version",
    returns: VersionInfo,
  }, () => ({
    version: rest.settings.version,
    git_version: rest.settings.gitVersion ?? null,
  }));

  const scheduler = schedulerWatch(rest);
  book.add({
    method: "get",
    path: "/api/v2/monitor/health",
    permission: "health.read",
    tag,
    summary: "Health of the database, the scheduler and the parser",
    returns: HealthInfo,
  }, async () => {
    const counts = await countDags(rest.sql).catch(() => null);
    const heartbeat = counts && await scheduler();
    const nowMs = rest.clock.now().getTime();
    const status = (isHealthy: boolean) => isHealthy ? "healthy" as const : "unhealthy" as const;
    return {
      metadatabase: { status: status(counts !== null) },
      scheduler: {
        status: status(heartbeat !== null && nowMs - heartbeat.getTime() < SCHEDULER_MS),
        latest_scheduler_heartbeat: iso(heartbeat),
      },
      triggerer: { status: null, latest_triggerer_heartbeat: null },
      dag_processor: {
        status: counts?.lastParsedAt ? status(true) : null,
        latest_dag_processor_heartbeat: iso(counts?.lastParsedAt),
      },
    };
  });

  for (const path of ["/auth/token", "/auth/token/cli"]) {
    book.add({
      method: "post",
      path,
      permission: "token.exchange",
      tag,
      summary: "Trade an API token, given as password, for itself: for clients that log in first",
      body: TokenBody,
      returns: TokenShape,
      status: 201,
    }, async ({ body }) => {
      if (await auth.check(body.password)) return { access_token: body.password };
      throw new AppError(
        "UNAUTHENTICATED",
        "Cannot log in: the password is not a token of this service; the local one is in " +
          "$TIDEWHEEL_HOME/token",
      );
    });
  }
}

/** When the leader's lease was last seen to have been renewed. */
function schedulerWatch({ store, clock }: Rest): () => Promise<Date | null> {
  let seen: { key: string; at: Date } | null = null;
  return async () => {
    const lease = await store.readLease();
    if (!lease) return null;
    const key = `${lease.epoch}:${lease.renewals}`;
    if (seen?.key !== key) seen = { key, at: clock.now() };
    return seen.at;
  };
}
