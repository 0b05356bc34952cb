/** @module The page of the API: every route with its permission. */
import { createApi } from "../../src/api/mod.ts";
import type { ApiParts } from "../../src/api/parts.ts";
import { type Permission, permissions, roles } from "../../src/api/permissions.ts";
import type { AnyRoute } from "../../src/api/route.ts";
import { VirtualClock } from "../../src/base/clock.ts";
import { silentLogger } from "../../src/base/log.ts";
import { noMetrics } from "../../src/metrics/registry.ts";
import { noTracer } from "../../src/metrics/trace.ts";
import { code, page, table } from "./markdown.ts";

/** `docs/reference/api.md`. */
export function apiPage(): string {
  const routes = declaredRoutes();
  const tags = [...new Set(routes.map((route) => route.tag))];
  return page(
    "API",
    "All routes, with the permission that each needs. Shapes of requests and answers are in the " +
      "service's own documentation, `/api/docs`, and in `/api/openapi.json`. A token goes into the " +
      "header `Authorization: Bearer <token>`; errors are in [Error codes](errors.md).",
    ...tags.map((tag) => chapter(tag, routes.filter((route) => route.tag === tag))),
    "## Permissions",
    `Roles, each with all that the ones before it have: ${roles.map(code).join(", ")}.`,
    table(
      ["permission", "allows", "who"],
      (Object.keys(permissions) as Permission[])
        .map((name) => [code(name), permissions[name].allows, whoHas(name)]),
    ),
  );
}

function chapter(tag: string, routes: readonly AnyRoute[]): string {
  const rows = routes.map(({ method, path, summary, permission }) => [
    code(`${method.toUpperCase()} ${path}`),
    summary,
    code(permission),
  ]);
  return `## ${tag}\n\n${table(["route", "what it does", "permission"], rows)}`;
}

function whoHas(name: Permission): string {
  const rule = permissions[name];
  if ("least" in rule) return `${rule.least} and above`;
  return rule.actors.map((actor) => actor === "anonymous" ? "anyone" : `an ${actor}`)
    .join(", ").replace("an worker", "a worker");
}

/** The routes as the API declares them; nothing is asked of its parts before it starts. */
function declaredRoutes(): readonly AnyRoute[] {
  const parts: Partial<ApiParts> = {
    clock: new VirtualClock(),
    log: silentLogger,
    metrics: noMetrics,
    tracer: noTracer,
    services: [],
    tables: null,
    settings: {
      version: "",
      tokenKey: "of no use: it signs nothing here",
      allowedHosts: [],
      allowedOrigins: [],
    },
  };
  return createApi(parts as ApiParts).routes;
}
