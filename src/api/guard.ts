/** @module What is refused before any route sees it: foreign hosts and origins, bodies too large. */
import { limits } from "../base/limits.ts";
import { AppError } from "../model/errors.ts";

/** Names of hosts that requests may be for. */
export interface GuardSettings {
  /**
   * Host names (without port) that this service is known by; `*`: any. Loopback names always are.
   * It keeps a page in somebody's browser from reaching a local service under a name of its own.
   */
  allowedHosts: readonly string[];
  /** Other origins whose pages may call the API, e.g. `https://ops.example.com`. */
  allowedOrigins: readonly string[];
}

const loopback = new Set(["localhost", "127.0.0.1", "[::1]"]);

/** Throws FORBIDDEN for a host or an origin that is not allowed, TOO_LARGE by the stated length. */
export function guard(request: Request, url: URL, settings: GuardSettings): void {
  const host = request.headers.get("host") ?? url.host;
  const name = host.replace(/:\d+$/, "").toLowerCase();
  const anyHost = settings.allowedHosts.includes("*");
  if (!anyHost && !loopback.has(name) && !settings.allowedHosts.includes(name)) {
    throw new AppError(
      "FORBIDDEN",
      `Cannot answer for the host "${name}": it is not a name of this service; add it to the ` +
        "setting allowedHosts",
    );
  }
  const origin = request.headers.get("origin");
  if (origin !== null && !isSame(origin, host) && !settings.allowedOrigins.includes(origin)) {
    throw new AppError(
      "FORBIDDEN",
      `Cannot answer a page from "${origin}": add it to the setting allowedOrigins if it may ask`,
    );
  }
}

/** The body as text; throws TOO_LARGE past `bytesMax`, before it is all read. */
export async function readText(request: Request, bytesMax: number): Promise<string> {
  const stated = Number(request.headers.get("content-length") ?? 0);
  if (stated > bytesMax) throw tooLarge(bytesMax);
  if (stated > 0 || !request.body) return await request.text();
  const decoder = new TextDecoder();
  let text = "";
  let bytes = 0;
  for await (const chunk of request.body) {
    bytes += chunk.length;
    if (bytes > bytesMax) throw tooLarge(bytesMax);
    text += decoder.decode(chunk, { stream: true });
  }
  return text + decoder.decode();
}

/** The body's bytes; throws TOO_LARGE past `bytesMax`, before it is all read. */
export async function readBytes(request: Request, bytesMax: number): Promise<Uint8Array> {
  if (Number(request.headers.get("content-length") ?? 0) > bytesMax) throw tooLarge(bytesMax);
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of request.body ?? []) {
    bytes += chunk.length;
    if (bytes > bytesMax) throw tooLarge(bytesMax);
    chunks.push(chunk);
  }
  const all = new Uint8Array(bytes);
  let at = 0;
  for (const chunk of chunks) {
    all.set(chunk, at);
    at += chunk.length;
  }
  return all;
}

/** The body as JSON; throws INVALID where it is not. */
export async function readJson(
  request: Request,
  bytesMax: number = limits.requestBytes,
): Promise<unknown> {
  const text = await readText(request, bytesMax);
  if (text === "") return undefined;
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new AppError(
      "INVALID",
      `Cannot read the request: its body is not JSON: ${(error as Error).message}`,
    );
  }
}

function isSame(origin: string, host: string): boolean {
  try {
    return new URL(origin).host === host;
  } catch {
    return false;
  }
}

function tooLarge(bytesMax: number): AppError {
  return new AppError("TOO_LARGE", `Cannot take the request: its body is over ${bytesMax} bytes`);
}
