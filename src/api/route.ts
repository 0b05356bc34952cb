/**
 * @module How a route is declared: its permission, its shapes and its handler together. From this
 * come checking, documentation and the test that walks all routes.
 */
import { OpenAPIHono, type RouteConfig } from "@hono/zod-openapi";
import { z } from "zod";
import { limits } from "../base/limits.ts";
import type { Logger } from "../base/log.ts";
import { AppError, messageOf } from "../model/errors.ts";
import type { AuditEvent } from "../store/audit_log.ts";
import { type Authenticator, authorize, type Principal } from "./auth.ts";
import { errorResponse, invalidResponse } from "./errors.ts";
import { readJson } from "./guard.ts";
import { type Schema, type SchemaBook, schemaBook } from "./json_schema.ts";
import type { Permission } from "./permissions.ts";
import { ErrorShape } from "./shapes/error.ts";

/** One route. */
export interface RouteSpec<
  P extends z.ZodObject,
  Q extends z.ZodObject,
  B extends z.ZodType,
  R extends z.ZodType,
> {
  method: "get" | "head" | "post" | "put" | "patch" | "delete";
  /** With parameters in braces: `/api/v2/dags/{dag_id}`. */
  path: string;
  permission: Permission;
  /** Chapter of the documentation. */
  tag: string;
  summary: string;
  params?: P;
  query?: Q;
  body?: B;
  /** A body may be left out; then its schema is asked with {}. */
  bodyOptional?: boolean;
  /** The answer's shape; null: 204 without a body. */
  returns: R | null;
  /** Default 200, or 204. */
  status?: number;
  /** Other media types that it can answer with, by the header Accept. */
  alsoReturns?: readonly string[];
  /** Name in the audit log, for routes that change something. */
  event?: string;
  /** Fields of the body that the audit log keeps too; none of them may hold a secret. */
  audited?: readonly string[];
}

/** One request as a handler sees it. */
export interface Call<P, Q, B> {
  params: P;
  query: Q;
  body: B;
  principal: Principal;
  request: Request;
  url: URL;
}

/** A route as it was declared. */
export type AnyRoute = RouteSpec<z.ZodObject, z.ZodObject, z.ZodType, z.ZodType>;

/** Takes routes. */
export interface RouteBook {
  readonly app: OpenAPIHono;
  /** Tell `app` of all routes and shapes, for its OpenAPI document; once, when somebody asks. */
  register(): void;
  /** All routes, in the order of their declaration. */
  readonly routes: readonly AnyRoute[];
  add<
    P extends z.ZodObject = z.ZodObject<Record<never, never>>,
    Q extends z.ZodObject = z.ZodObject<Record<never, never>>,
    B extends z.ZodType = z.ZodUndefined,
    R extends z.ZodType = z.ZodNull,
  >(
    spec: RouteSpec<P, Q, B, R>,
    handler: (
      call: Call<z.output<P>, z.output<Q>, z.output<B>>,
    ) => Promise<z.input<R> | Response | void> | z.input<R> | Response | void,
  ): void;
}

/** What a book needs. */
export interface RouteBookParts {
  auth: Authenticator;
  log: Logger;
  audit: (event: AuditEvent) => Promise<void>;
  /** Called with the error code of each refused request. */
  onRefused: (code: string) => void;
  /** Check answers against their shapes: for tests. Default false. */
  checkAnswers?: boolean;
}

const nothing = z.object({});

/** An empty book. */
export function routeBook(parts: RouteBookParts): RouteBook {
  const app = new OpenAPIHono();
  const routes: AnyRoute[] = [];
  const schemas = schemaBook();

  app.onError((error) => refuse(error));
  app.notFound((c) =>
    refuse(
      new AppError("NOT_FOUND", `Cannot find ${c.req.method} ${c.req.path}: see /api/docs`),
    )
  );

  function refuse(error: unknown): Response {
    const { response, unforeseen } = errorResponse(error);
    parts.onRefused((error as { code?: string }).code ?? "INTERNAL");
    if (unforeseen !== undefined) {
      parts.log.error("Could not answer a request", {
        error: messageOf(unforeseen),
        stack: unforeseen instanceof Error ? unforeseen.stack : undefined,
      });
    }
    return response;
  }

  async function answer(
    spec: AnyRoute,
    request: Request,
    rawParams: Record<string, string>,
    handler: (call: Call<unknown, unknown, unknown>) => unknown,
  ): Promise<Response> {
    const principal = await parts.auth.identify(request.headers);
    authorize(principal, spec.permission);
    const url = new URL(request.url);
    const params = (spec.params ?? nothing).safeParse(rawParams);
    if (!params.success) return invalidResponse(params.error, "path");
    const query = (spec.query ?? nothing).safeParse(queryOf(url));
    if (!query.success) return invalidResponse(query.error, "query");
    let body: unknown;
    if (spec.body) {
      const raw = await readJson(request, limits.requestBytes);
      const parsed = spec.body.safeParse(raw === undefined && spec.bodyOptional ? {} : raw);
      if (!parsed.success) return invalidResponse(parsed.error, "body");
      body = parsed.data;
    }
    const call = { params: params.data, query: query.data, body, principal, request, url };
    const result = await handler(call);
    if (spec.event) await parts.audit(auditOf(spec.event, spec.audited, call));
    if (result instanceof Response) return result;
    if (spec.returns === null) return new Response(null, { status: spec.status ?? 204 });
    if (parts.checkAnswers) spec.returns.parse(JSON.parse(JSON.stringify(result)));
    return new Response(JSON.stringify(result), {
      status: spec.status ?? 200,
      headers: { "content-type": "application/json; charset=utf-8" },
    });
  }

  return {
    app,
    routes,
    register() {
      for (const spec of routes) {
        app.openAPIRegistry.registerPath(describe(spec, schemas) as unknown as RouteConfig);
      }
      for (const [name, schema] of schemas.named) {
        app.openAPIRegistry.registerComponent("schemas", name, schema);
      }
    },
    add(spec, handler) {
      const declared = spec as unknown as AnyRoute;
      routes.push(declared);
      app.on(spec.method.toUpperCase(), honoPath(spec.path), async (c) => {
        try {
          return await answer(
            declared,
            c.req.raw,
            c.req.param() as Record<string, string>,
            handler as unknown as (call: Call<unknown, unknown, unknown>) => unknown,
          );
        } catch (error) {
          return refuse(error);
        }
      });
    },
  };
}

/** One value as text, several as a list. */
function queryOf(url: URL): Record<string, string | string[]> {
  const query: Record<string, string | string[]> = {};
  for (const key of new Set(url.searchParams.keys())) {
    const values = url.searchParams.getAll(key);
    query[key] = values.length === 1 ? values[0] : values;
  }
  return query;
}

/** `{dag_id}` → `:dag_id`. */
function honoPath(path: string): string {
  return path.replace(/\{(\w+)\}/g, ":$1");
}

/** Ids of the route's path and body, and what it says of the body; the rest may hold secrets. */
function auditOf(
  event: string,
  audited: readonly string[] = [],
  { params, body, principal, url }: Call<unknown, unknown, unknown>,
) {
  const of = { ...(body as Record<string, unknown> | undefined), ...(params as object) } as Record<
    string,
    unknown
  >;
  const text = (value: unknown) => typeof value === "string" && value !== "~" ? value : null;
  return {
    event,
    actor: principal.name,
    dagId: text(of.dag_id),
    runId: text(of.dag_run_id),
    taskId: text(of.task_id),
    mapIndex: typeof of.map_index === "number" ? of.map_index : null,
    extra: {
      path: url.pathname,
      ...Object.fromEntries(
        audited.filter((name) => of[name] !== undefined).map((name) => [name, of[name]]),
      ),
    },
  };
}

/** The route as OpenAPI has it. */
function describe(spec: AnyRoute, { schemaOf }: SchemaBook) {
  const content = (shape: z.ZodType, io: "input" | "output") => ({
    "application/json": { schema: schemaOf(shape, io) },
  });
  const other = Object.fromEntries(
    (spec.alsoReturns ?? []).map((type) => [type, { schema: { type: "string" as const } }]),
  );
  const status = spec.status ?? (spec.returns ? 200 : 204);
  const failure = (description: string) => ({
    description,
    content: content(ErrorShape, "output"),
  });
  const takes = spec.params || spec.query || spec.body;
  return {
    method: spec.method,
    path: spec.path,
    tags: [spec.tag],
    summary: spec.summary,
    description: `Permission: \`${spec.permission}\``,
    "x-permission": spec.permission,
    security: [{ bearer: [] }],
    parameters: [
      ...parametersOf(spec.params, "path", schemaOf),
      ...parametersOf(spec.query, "query", schemaOf),
    ],
    ...(spec.body
      ? { requestBody: { content: content(spec.body, "input"), required: !spec.bodyOptional } }
      : {}),
    responses: {
      [status]: {
        description: "Done",
        ...(spec.returns ? { content: { ...content(spec.returns, "output"), ...other } } : {}),
      },
      401: failure("No token, or a wrong one"),
      403: failure("The token's role may not do this"),
      ...(spec.params ? { 404: failure("There is no such thing") } : {}),
      ...(takes ? { 422: failure("What was sent does not fit") } : {}),
    },
  };
}

function parametersOf(
  shape: z.ZodObject | undefined,
  place: "path" | "query",
  schemaOf: SchemaBook["schemaOf"],
) {
  if (!shape) return [];
  const { properties = {}, required = [] } = schemaOf(shape, "input") as {
    properties?: Record<string, Schema>;
    required?: string[];
  };
  return Object.entries(properties).map(([name, { description, ...schema }]) => ({
    name,
    in: place,
    required: place === "path" || required.includes(name),
    ...(typeof description === "string" ? { description } : {}),
    schema,
  }));
}
