/** @module From parameters, connection and page to one request. */
import { FinalError } from "../../../src/sdk/operator.ts";
import { btoaUtf8, type HttpEndpoint, joinPath } from "./connection.ts";
import type { PageAsk } from "./paging.ts";
import type { HttpRequest, Query, RequestPart } from "./request_params.ts";

/** A request as it goes out, secrets and all. */
export interface Prepared {
  method: string;
  url: URL;
  headers: Headers;
  body?: string;
  /** Hosts that may see it: its own, and those that redirects may lead to without a credential. */
  redirectHosts: readonly string[];
}

/** The request for one page of one part. */
export function prepare(
  endpoint: HttpEndpoint,
  params: HttpRequest,
  { part, ask }: { part?: RequestPart; ask: PageAsk },
): Prepared {
  const headers = new Headers({ "user-agent": "tidewheel", ...endpoint.headers });
  if (!params.compressed) headers.set("accept-encoding", "identity");
  for (const [name, value] of Object.entries(params.headers)) headers.set(name, value);
  const url = ask.url === null
    ? firstUrl(endpoint, params, part)
    : followUrl(endpoint, params, ask.url);
  for (const [name, value] of Object.entries(ask.query)) url.searchParams.set(name, value);
  let body: string | Record<string, unknown> | undefined = params.body;
  if (Object.keys(ask.body).length > 0) body = { ...jsonBody(params, "paging"), ...ask.body };
  if (endpoint.auth.kind === "api_key" && endpoint.auth.in === "body") {
    const { name, prefix } = endpoint.auth;
    body = {
      ...(body === undefined ? {} : jsonBody({ body }, "auth")),
      [name]: prefix + endpoint.secret,
    };
  }
  if (url.host === endpoint.baseUrl.host) authorize(endpoint, url, headers);
  else for (const name of Object.keys(endpoint.headers)) headers.delete(name);
  if (typeof body === "object" && !headers.has("content-type")) {
    headers.set("content-type", "application/json");
  }
  return {
    method: params.method,
    url,
    headers,
    body: typeof body === "object" ? JSON.stringify(body) : body,
    redirectHosts: params.redirectHosts,
  };
}

/** Show the secret as the connection says. */
function authorize({ auth, login, secret }: HttpEndpoint, url: URL, headers: Headers): void {
  switch (auth.kind) {
    case "none":
      return;
    case "basic":
      return headers.set("authorization", `Basic ${btoaUtf8(`${login}:${secret}`)}`);
    case "bearer":
      return headers.set("authorization", `Bearer ${secret}`);
    case "api_key":
      if (auth.in === "query") url.searchParams.set(auth.name, auth.prefix + secret);
      if (auth.in === "header") headers.set(auth.name, auth.prefix + secret);
  }
}

function firstUrl(endpoint: HttpEndpoint, params: HttpRequest, part?: RequestPart): URL {
  const url = new URL(endpoint.baseUrl);
  url.pathname = joinPath(url.pathname, part?.path ?? params.path);
  addQuery(url, params.query);
  if (part) addQuery(url, part.query);
  return url;
}

function addQuery(url: URL, query: Query): void {
  for (const [name, value] of Object.entries(query)) {
    url.searchParams.delete(name);
    for (const one of Array.isArray(value) ? value : [value]) {
      if (one !== null) url.searchParams.append(name, String(one));
    }
  }
}

/** A link that the source gave: only to its own host, or to one that redirects may lead to. */
function followUrl(endpoint: HttpEndpoint, params: HttpRequest, link: string): URL {
  const url = new URL(link, endpoint.baseUrl);
  const own = url.host === endpoint.baseUrl.host && url.protocol === endpoint.baseUrl.protocol;
  if (own || (url.protocol === "https:" && params.redirectHosts.includes(url.host))) return url;
  throw new FinalError(
    `Cannot follow the link to the next page: it leads to ${url.protocol}//${url.host} and the ` +
      `source is ${endpoint.baseUrl.origin}; list the host in redirectHosts if that is right`,
  );
}

function jsonBody(
  { body }: { body?: string | Record<string, unknown> },
  what: string,
): Record<string, unknown> {
  if (body === undefined) return {};
  if (typeof body === "object") return body;
  throw new FinalError(`Cannot add ${what} to the body: it is text; give it as an object`);
}
