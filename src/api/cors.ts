/** @module What browsers are told, so that they let pages of the allowed origins ask. */

const METHODS = "GET, HEAD, POST, PUT, PATCH, DELETE";
const HEADERS = "authorization, content-type, accept";
const PREFLIGHT_KEPT_S = "600";

/** The answer to a browser that asks whether a page may; null: it is no such question. */
export function answerPreflight(request: Request): Response | null {
  const isPreflight = request.method === "OPTIONS" && request.headers.has("origin") &&
    request.headers.has("access-control-request-method");
  if (!isPreflight) return null;
  return new Response(null, {
    status: 204,
    headers: {
      "access-control-allow-methods": METHODS,
      "access-control-allow-headers": HEADERS,
      "access-control-max-age": PREFLIGHT_KEPT_S,
    },
  });
}

/** Let a page of an allowed origin read the answer. Credentials are tokens, never cookies. */
export function allowOrigin(
  request: Request,
  response: Response,
  allowedOrigins: readonly string[],
): Response {
  const origin = request.headers.get("origin");
  if (origin === null || !allowedOrigins.includes(origin)) return response;
  response.headers.set("access-control-allow-origin", origin);
  response.headers.append("vary", "origin");
  return response;
}
