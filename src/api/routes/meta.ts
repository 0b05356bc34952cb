/** @module Routes of the service itself: version, health, metrics, tokens. */
import { AppError } from "../../model/errors.ts";
import { countDags } from "../../store/dag_query.ts";
import { triggererPulse } from "../../store/trigger_query.ts";
import type { Authenticator } from "../auth.ts";
import type { Rest } from "../rest.ts";
import type { RouteBook } from "../route.ts";
import { HealthInfo, TokenBody, TokenShape, VersionInfo } from "../shapes/admin.ts";
import { iso } from "../views/dag.ts";

const tag = "Service";

/** A scheduler whose lease, or a triggers service whose beats stood still for this long is unhealthy. */
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
  const triggerer = triggererWatch(rest);
  book.add({
    method: "get",
    path: "/api/v2/monitor/health",
    permission: "health.read",
    tag,
    summary: "Health of the database, the scheduler, the triggers service and the parser",
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
      triggerer: counts ? await triggerer() : noTriggerer,
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

const noTriggerer = { status: null, latest_triggerer_heartbeat: null };

/** Without a process it is unhealthy as soon as something waits for one. */
function triggererWatch({ sql, clock }: Rest) {
  let seen: { pulse: string; at: Date } | null = null;
  return async () => {
    const { pulse, isAny, waits } = await triggererPulse(sql);
    if (!isAny) return waits ? { ...noTriggerer, status: "unhealthy" as const } : noTriggerer;
    const now = clock.now();
    if (seen?.pulse !== pulse) seen = { pulse, at: now };
    const isHealthy = now.getTime() - seen.at.getTime() < SCHEDULER_MS;
    return {
      status: isHealthy ? "healthy" as const : "unhealthy" as const,
      latest_triggerer_heartbeat: iso(seen.at),
    };
  };
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
