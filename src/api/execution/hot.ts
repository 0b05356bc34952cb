/**
 * @module Claim and batch without a router between: they are called for every task, all else is
 * for people. Same checks, same answers as any route.
 */
import { limits } from "../../base/limits.ts";
import { ClaimRequest } from "../../contract/execution.ts";
import { type Authenticator, authorize } from "../auth.ts";
import { invalidResponse } from "../errors.ts";
import { readJson } from "../guard.ts";
import type { Execution } from "./execution.ts";

/** Paths that go here. */
export const hotPaths = { claim: "/execution/claim", batch: "/execution/batch" } as const;

/** Answer a claim. */
export async function answerClaim(
  request: Request,
  { auth, execution }: { auth: Authenticator; execution: Execution },
): Promise<Response> {
  const principal = await auth.identify(request.headers);
  authorize(principal, "execution.claim");
  const parsed = ClaimRequest.safeParse(await readJson(request));
  if (!parsed.success) return invalidResponse(parsed.error, "body");
  const response = await execution.claim(principal.queues!, parsed.data, request.signal);
  return jsonResponse(response);
}

/** Answer a batch; each of its calls carries its own token. */
export async function answerBatch(
  request: Request,
  { execution }: { execution: Execution },
): Promise<Response> {
  return jsonResponse(await execution.batch(await readJson(request, limits.batchBytes)));
}

const headers = { "content-type": "application/json; charset=utf-8" };

function jsonResponse(body: unknown): Response {
  return new Response(JSON.stringify(body), { headers });
}
