/** @module HTTP answers as tests write them. */
import type { Answer } from "./tape.ts";

/** An answer: a text, bytes, a `Response`, or anything else as JSON. */
export type HttpReply = string | Uint8Array<ArrayBuffer> | Response | object;

/**
 * Answers by URL (`"https://a.example/x"`, or `"POST https://a.example/x"`; without a query it
 * stands for every query), each a reply, several in turn, or a function of the request; or one
 * function for all, whose `undefined` means that it has none.
 */
export type HttpReplies =
  | ((request: Request) => HttpReply | undefined | Promise<HttpReply | undefined>)
  | Readonly<
    Record<
      string,
      HttpReply | readonly HttpReply[] | ((request: Request) => HttpReply | Promise<HttpReply>)
    >
  >;

/** Answers from replies; what they do not have is asked of `other`. */
export function repliesOf(replies: HttpReplies, other: Answer): Answer {
  if (typeof replies === "function") {
    return async (request) => {
      const found = await replies(request.clone());
      return found === undefined ? await other(request) : responseOf(found);
    };
  }
  const asked = new Map<string, number>();
  return async (request) => {
    const url = request.url;
    const bare = url.split("?")[0];
    const key = [`${request.method} ${url}`, url, `${request.method} ${bare}`, bare]
      .find((one) => Object.hasOwn(replies, one));
    if (key === undefined) return await other(request);
    const reply = replies[key];
    if (typeof reply === "function") return responseOf(await reply(request));
    if (!Array.isArray(reply)) return responseOf(reply as HttpReply);
    const count = asked.get(key) ?? 0;
    asked.set(key, count + 1);
    return responseOf(reply[Math.min(count, reply.length - 1)]);
  };
}

function responseOf(reply: HttpReply): Response {
  if (reply instanceof Response) return reply.clone();
  if (typeof reply === "string" || reply instanceof Uint8Array) return new Response(reply);
  return Response.json(reply);
}
