/**
 * @module What every role serves beside its work: health, metrics, and documentation of what it
 * offers. The API has these among its own routes; other roles serve this alone, on their port.
 */
import { z } from "zod";
import { type Logger, silentLogger } from "../base/log.ts";
import type { Service } from "../base/service.ts";
import type { Metrics } from "../metrics/registry.ts";
import { AppError } from "../model/errors.ts";
import type { Authenticator } from "./auth.ts";
import { docsAsset, docsPage, openApiDocument } from "./docs.ts";
import { guard, type GuardSettings } from "./guard.ts";
import { errorResponse } from "./errors.ts";
import { type RouteBook, routeBook } from "./route.ts";

const tag = "Service";
const Report = z.object({
  role: z.string(),
  ok: z.boolean(),
  services: z.record(
    z.string(),
    z.object({
      started: z.boolean(),
      ready: z.boolean(),
      detail: z.record(z.string(), z.unknown()).optional(),
    }),
  ),
}).meta({ id: "HealthReport" });

/** What the service routes go by. */
export interface ServiceRoutes {
  /** Name of the role: `api`, `scheduler`, `all`… */
  role: string;
  version: string;
  /** As they are when somebody asks. */
  services: () => readonly Service[];
  metrics: Metrics;
}

/** Add health, metrics and documentation to a book. */
export function addServiceRoutes(
  book: RouteBook,
  { role, version, services, metrics }: ServiceRoutes,
) {
  const report = (isOk: (health: { started: boolean; ready: boolean }) => boolean) => {
    const entries = services().map((service) => [service.name, service.health()] as const);
    const ok = entries.every(([, health]) => isOk(health));
    const body = JSON.stringify({ role, ok, services: Object.fromEntries(entries) });
    return new Response(body, {
      status: ok ? 200 : 503,
      headers: { "content-type": "application/json; charset=utf-8", "cache-control": "no-store" },
    });
  };
  const probes = [
    ["live", "This process answers", () => true],
    [
      "ready",
      "Every service of this process can do its work now",
      (h: { ready: boolean }) => h.ready,
    ],
    [
      "startup",
      "Every service has been through its first pass",
      (h: { started: boolean }) => h.started,
    ],
  ] as const;
  for (const [name, summary, isOk] of probes) {
    book.add({
      method: "get",
      path: `/health/${name}`,
      permission: "health.read",
      tag,
      summary: `${summary}; else 503`,
      returns: Report,
    }, () => report(isOk));
  }

  book.add(
    {
      method: "get",
      path: "/metrics",
      permission: "health.read",
      tag,
      summary: "Metrics for Prometheus; 404 where they are switched off",
      returns: z.string(),
      alsoReturns: ["text/plain"],
    },
    async () => {
      if (!metrics.enabled) {
        throw new AppError("NOT_FOUND", "There are no metrics: PROMETHEUS_ENABLED is false");
      }
      return new Response(await metrics.render(), {
        headers: { "content-type": metrics.contentType },
      });
    },
  );

  const title = role === "api" || role === "all" ? "Tidewheel" : `Tidewheel ${role}`;
  let document: string | null = null;
  book.add({
    method: "get",
    path: "/api/openapi.json",
    permission: "docs.read",
    tag,
    summary: "This document",
    returns: z.unknown(),
  }, () => {
    document ??= JSON.stringify(openApiDocument(book, {
      title,
      version,
      description: "Errors are {detail, code}: what was tried, what is so, what would be right.",
    }));
    return new Response(document, {
      headers: { "content-type": "application/json; charset=utf-8" },
    });
  });
  book.add({
    method: "get",
    path: "/api/docs",
    permission: "docs.read",
    tag,
    summary: "The documentation as pages",
    returns: z.string(),
    alsoReturns: ["text/html"],
  }, () => docsPage(title));
  book.add({
    method: "get",
    path: "/api/docs/{file}",
    permission: "docs.read",
    tag,
    summary: "A file of the documentation's pages",
    params: z.object({ file: z.string() }),
    returns: z.string(),
  }, async ({ params }) => await docsAsset(params.file) ?? new Response(null, { status: 404 }));
}

/** Nobody has a token here: these routes are for anyone who reaches the port. */
const nobody: Authenticator = {
  identify: () => Promise.resolve({ actor: "anonymous", name: "anonymous" }),
  check: () => Promise.resolve(null),
};

/** What {@link healthApp} goes by. */
export interface HealthAppParts {
  role: string;
  services: readonly Service[];
  metrics: Metrics;
  /** Shown in its document. Default "". */
  version?: string;
  /** Default: says nothing. */
  log?: Logger;
  /** Default: any host, since nothing here is secret or changes anything. */
  hosts?: GuardSettings;
}

/** The service routes by themselves, for roles other than the API. */
export function healthApp(
  {
    role,
    services,
    metrics,
    version = "",
    log = silentLogger,
    hosts = { allowedHosts: ["*"], allowedOrigins: [] },
  }: HealthAppParts,
): { fetch(request: Request): Promise<Response> } {
  const book = routeBook({
    auth: nobody,
    log,
    audit: () => Promise.resolve(),
    onRefused: (code) => metrics.inc("tidewheel_api_refused_total", { code }),
  });
  addServiceRoutes(book, { role, version, services: () => services, metrics });
  return {
    async fetch(request) {
      try {
        guard(request, new URL(request.url), hosts);
        return await book.app.fetch(request);
      } catch (error) {
        return errorResponse(error).response;
      }
    },
  };
}
