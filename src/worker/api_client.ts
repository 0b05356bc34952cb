/**
 * @module The Task Execution API as a worker calls it.
 *
 * Requests go through an injected `fetch`, so that one process can hold worker and API without a
 * socket between them.
 */
import { limits } from "../base/limits.ts";
import type { DatasetVersionInfo } from "../contract/dataset.ts";
import type {
  BatchResponse,
  CallResult,
  ClaimRequest,
  ClaimResponse,
  ConnectionSecret,
  ExecutionCall,
} from "../contract/execution.ts";
import { AppError, type ErrorCode, messageOf } from "../model/errors.ts";

/** Sends a request and resolves with its answer, whatever its status. */
export type Fetch = (request: Request) => Promise<Response>;

/** The API, call by call. All reject with UNAVAILABLE while it cannot be reached or is starting. */
export interface ExecutionApi {
  claim(request: ClaimRequest, signal: AbortSignal): Promise<ClaimResponse>;
  /** Results in the order of the calls. */
  batch(calls: readonly ExecutionCall[]): Promise<CallResult[]>;
  /** A packed bundle. */
  bundle(hash: string, token: string): Promise<Uint8Array>;
  connection(connectionId: string, token: string): Promise<ConnectionSecret>;
  variable(key: string, token: string): Promise<unknown>;
  latestDataset(
    question: { dataset: string; partition: string | null },
    token: string,
  ): Promise<DatasetVersionInfo | null>;
}

const DETAIL_CHARS_MAX = 2_000;

/** Options of {@link executionApi}. */
export interface ExecutionApiOptions {
  fetch: Fetch;
  /** Claims work; attempts have tokens of their own. */
  workerToken: string;
  /** Where the API is; the default is for a `fetch` within the process. */
  baseUrl?: string;
}

/** The API behind `fetch`. */
export function executionApi(
  { fetch, workerToken, baseUrl = "http://tidewheel.internal" }: ExecutionApiOptions,
): ExecutionApi {
  const root = `${baseUrl.replace(/\/+$/, "")}/execution`;

  async function send(what: string, path: string, init: RequestInit): Promise<Response> {
    let response: Response;
    try {
      response = await fetch(new Request(root + path, init));
    } catch (error) {
      throw new AppError("UNAVAILABLE", `Cannot ${what}: the API at ${baseUrl} did not answer`, {
        cause: error,
        detail: { cause: messageOf(error) },
      });
    }
    if (response.ok) return response;
    throw await refusal(what, response);
  }

  async function post<T>(what: string, path: string, body: unknown, signal?: AbortSignal) {
    const response = await send(what, path, {
      method: "POST",
      headers: { "authorization": `Bearer ${workerToken}`, "content-type": "application/json" },
      body: JSON.stringify(body),
      signal,
    });
    return await bodyOf<T>(what, response);
  }

  const get = (what: string, path: string, token: string) =>
    send(what, path, { headers: { "authorization": `Bearer ${token}` } });

  return {
    claim: (request, signal) => post<ClaimResponse>("claim work", "/claim", request, signal),
    async batch(calls) {
      const { results } = await post<BatchResponse>("report attempts", "/batch", { calls });
      if (Array.isArray(results) && results.length === calls.length) return results;
      throw new AppError(
        "UNAVAILABLE",
        `Cannot report attempts: the API gave ${results?.length} results for ${calls.length} calls`,
      );
    },
    async bundle(hash, token) {
      const what = `fetch bundle ${hash.slice(0, 12)}`;
      const response = await get(what, `/bundles/${hash}`, token);
      return await whole(what, response, (body) => body.bytes());
    },
    async connection(connectionId, token) {
      const what = `read connection "${connectionId}"`;
      const path = `/connections/${encodeURIComponent(connectionId)}`;
      return await bodyOf<ConnectionSecret>(what, await get(what, path, token));
    },
    async variable(key, token) {
      const what = `read variable "${key}"`;
      const response = await get(what, `/variables/${encodeURIComponent(key)}`, token);
      return (await bodyOf<{ value: unknown }>(what, response)).value;
    },
    async latestDataset({ dataset, partition }, token) {
      const what = `find dataset "${dataset}"`;
      const query = new URLSearchParams({ dataset, ...(partition === null ? {} : { partition }) });
      const response = await get(what, `/datasets/latest?${query}`, token);
      if (response.status === 204) return null;
      return await bodyOf<DatasetVersionInfo | null>(what, response);
    },
  };
}

function bodyOf<T>(what: string, response: Response): Promise<T> {
  return whole(what, response, (body) => body.json() as Promise<T>);
}

/** A body that breaks off is the API going away, not a refusal. */
async function whole<T>(
  what: string,
  response: Response,
  read: (response: Response) => Promise<T>,
): Promise<T> {
  try {
    return await read(response);
  } catch (error) {
    throw new AppError("UNAVAILABLE", `Cannot ${what}: the API's answer broke off`, {
      cause: error,
    });
  }
}

const codeOfStatus: Readonly<Record<number, ErrorCode>> = {
  400: "INVALID",
  401: "UNAUTHENTICATED",
  403: "FORBIDDEN",
  404: "NOT_FOUND",
  409: "CONFLICT",
  410: "GONE",
  413: "TOO_LARGE",
  422: "INVALID",
  507: "DISK_FULL",
};

async function refusal(what: string, response: Response): Promise<AppError> {
  const text = await response.text().catch(() => "");
  const code = codeOfStatus[response.status] ?? "UNAVAILABLE";
  const why = reasonIn(text) ?? `HTTP ${response.status}`;
  return new AppError(code, `Cannot ${what}: ${why}`, { detail: { status: response.status } });
}

/** The sentence of an error body: `{ detail }`, a string or `{ reason, message }`. */
function reasonIn(text: string): string | null {
  try {
    const { detail } = JSON.parse(text);
    const found = typeof detail === "string" ? detail : detail?.message ?? detail?.reason;
    return typeof found === "string" ? found.slice(0, DETAIL_CHARS_MAX) : null;
  } catch {
    return null;
  }
}

/** Longest a claim waits on the API's side. */
export const claimWaitMs = limits.claimWaitMsMax;
