/** @module One request and the headers of its answer, redirects followed with care. */
import { HttpFailure, messageOf } from "./failure.ts";
import type { Prepared } from "./prepare.ts";

const redirectsMax = 5;

/** Send a request; the answer's body is not read. Throws {@link HttpFailure}. */
export async function exchange(
  prepared: Prepared,
  { signal, extraHeaders = {}, fetchAnswer = fetch }: {
    signal: AbortSignal;
    extraHeaders?: Record<string, string>;
    fetchAnswer?: typeof fetch;
  },
): Promise<Response> {
  let { method, url, body } = prepared;
  let headers = new Headers(prepared.headers);
  for (const [name, value] of Object.entries(extraHeaders)) headers.set(name, value);
  for (let hops = 0; hops <= redirectsMax; hops++) {
    const answer = await fetchAnswer(url, { method, headers, body, redirect: "manual", signal })
      .catch((error) => {
        if (signal.aborted || error instanceof Deno.errors.NotCapable) throw error;
        throw new HttpFailure("retry", `${url.host} cannot be reached: ${messageOf(error)}`);
      });
    if (![301, 302, 303, 307, 308].includes(answer.status)) return answer;
    await answer.body?.cancel();
    const target = redirectTarget(answer, url, prepared);
    if (target.origin !== url.origin) headers = withoutCredentials(headers);
    if (answer.status === 303 || (answer.status < 307 && method === "POST")) {
      method = "GET";
      body = undefined;
      headers.delete("content-type");
    }
    url = target;
  }
  throw new HttpFailure("final", `the source redirects more than ${redirectsMax} times`);
}

function redirectTarget(answer: Response, from: URL, { url, redirectHosts }: Prepared): URL {
  const location = answer.headers.get("location");
  if (location === null || !URL.canParse(location, from)) {
    throw new HttpFailure("final", `the source redirects (${answer.status}) to nowhere`);
  }
  const target = new URL(location, from);
  if (!/^https?:$/.test(target.protocol)) {
    throw new HttpFailure(
      "final",
      `the source redirects to an address of "${target.protocol}", which is not http or https`,
    );
  }
  const sameHost = target.host === url.host && target.protocol === url.protocol;
  if (sameHost || (target.protocol === "https:" && upgrade(url, target))) return target;
  const allowed = redirectHosts.includes(target.host) &&
    (target.protocol === url.protocol || target.protocol === "https:");
  if (allowed) return target;
  throw new HttpFailure(
    "final",
    `the source redirects to ${target.origin}, which is not its own host; list ` +
      `"${target.host}" in redirectHosts if that is right`,
  );
}

/** The same name on the default ports, from http to https. */
function upgrade(from: URL, to: URL): boolean {
  return from.protocol === "http:" && from.hostname === to.hostname && from.port === "" &&
    to.port === "";
}

/** Only what says nothing about who asks. */
function withoutCredentials(headers: Headers): Headers {
  const harmless = ["accept", "accept-encoding", "user-agent", "range", "if-range", "content-type"];
  return new Headers([...headers].filter(([name]) => harmless.includes(name)));
}
