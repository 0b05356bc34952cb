/** @module The REST API as the CLI calls it. */

/** An answer that says no, or no answer; its message is what the user reads. */
export class CliError extends Error {
  override readonly name = "CliError";
  /** What the API said, when it answered. */
  readonly status: number | null;
  /** The API's code of what is wrong; UNAVAILABLE without an answer. */
  readonly code: string | undefined;

  constructor(message: string, status: number | null = null, code?: string) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

/** Where the API is and who asks. */
export interface ClientOptions {
  url: string;
  /** Read when the first request is made, so that verbs without the API need none. */
  token: () => string;
}

/** Query parameters; arrays repeat the name, null and undefined are left out. */
export type Query = Record<string, string | number | boolean | string[] | null | undefined>;

/** A small client: JSON in, JSON out, errors in the API's own words. */
export class RestClient {
  readonly #options: ClientOptions;

  constructor(options: ClientOptions) {
    this.#options = options;
  }

  /** Where the API is. */
  get url(): string {
    return this.#options.url;
  }

  get<T>(path: string, query: Query = {}): Promise<T> {
    return this.#json<T>("GET", path + queryString(query));
  }

  post<T>(path: string, body: unknown = {}): Promise<T> {
    return this.#json<T>("POST", path, body);
  }

  patch<T>(path: string, body: unknown): Promise<T> {
    return this.#json<T>("PATCH", path, body);
  }

  put<T>(path: string, body: unknown = {}): Promise<T> {
    return this.#json<T>("PUT", path, body);
  }

  delete(path: string): Promise<unknown> {
    return this.#json("DELETE", path);
  }

  /** Objects of an NDJSON answer as they arrive. */
  async *lines<T>(path: string, query: Query = {}): AsyncGenerator<T> {
    const response = await this.#send("GET", path + queryString(query), undefined, {
      accept: "application/x-ndjson",
    });
    let rest = "";
    for await (const text of response.body!.pipeThrough(new TextDecoderStream())) {
      const lines = (rest + text).split("\n");
      rest = lines.pop()!;
      for (const line of lines) if (line !== "") yield JSON.parse(line) as T;
    }
    if (rest.trim() !== "") yield JSON.parse(rest) as T;
  }

  async #json<T>(method: string, path: string, body?: unknown): Promise<T> {
    const response = await this.#send(method, path, body, { accept: "application/json" });
    const text = await response.text();
    return (text === "" ? undefined : JSON.parse(text)) as T;
  }

  async #send(method: string, path: string, body: unknown, headers: Record<string, string>) {
    const { url, token } = this.#options;
    const request = new Request(url + path, {
      method,
      headers: {
        ...headers,
        authorization: `Bearer ${token()}`,
        ...(body === undefined ? {} : { "content-type": "application/json" }),
      },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
    let response: Response;
    try {
      response = await fetch(request);
    } catch (error) {
      throw new CliError(
        `Cannot reach the API at ${url}: ${(error as Error).message}. ` +
          "Is `tidewheel start` running? TIDEWHEEL_API_URL names another address",
        null,
        "UNAVAILABLE",
      );
    }
    if (response.ok) return response;
    const { message, code } = await problemOf(response, method, path);
    throw new CliError(message, response.status, code);
  }
}

async function problemOf(
  response: Response,
  method: string,
  path: string,
): Promise<{ message: string; code?: string }> {
  const text = await response.text();
  let problem: { detail?: unknown; code?: unknown } | null = null;
  try {
    problem = JSON.parse(text);
  } catch {
    // Not ours: shown as it came.
  }
  const detail = problem?.detail ?? text;
  const message = typeof detail === "string" ? detail : JSON.stringify(detail);
  return {
    message: message === ""
      ? `The API answered ${method} ${path.split("?")[0]} with status ${response.status}`
      : message,
    code: typeof problem?.code === "string" ? problem.code : undefined,
  };
}

/** `?a=1&b=2` or nothing. */
export function queryString(query: Query): string {
  const params = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value === null || value === undefined) continue;
    for (const one of Array.isArray(value) ? value : [value]) params.append(name, String(one));
  }
  const text = params.toString();
  return text === "" ? "" : `?${text}`;
}

/** A path segment. */
export const segment = encodeURIComponent;
