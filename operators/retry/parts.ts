/** @module `retry.parts`: what a collection could not have, asked for again. */
import { z } from "zod";
import { RawFiles } from "../../src/model/data.ts";
import { operator } from "../../src/sdk/operator.ts";
import {
  HttpRequest,
  requestConnections,
  requestPermissions,
} from "../collect/http/request_params.ts";
import { SourceName } from "../collect/raw.ts";

/** Another source of the same data. */
export const FallbackRequest = z.object({
  source: SourceName.meta({
    doc: "Its name; rows from it carry this name",
    example: "stooq.daily",
  }),
  ...HttpRequest.shape,
});

/** Parameters of {@link retryParts}. */
export const RetryPartsParams = z.object({
  request: HttpRequest.meta({ doc: "The request of the collection, with its parts, once more" }),
  rounds: z.int().min(0).max(100).default(3).meta({
    doc: "How often each missing part is asked for; 0: only the fallback is",
  }),
  delayMs: z.int().min(0).default(5_000).meta({
    doc: "Cap of the wait before the second round; doubles each round, with full jitter",
  }),
  delayMsMax: z.int().min(0).default(60_000).meta({ doc: "Cap of every wait" }),
  fallback: FallbackRequest.optional().meta({
    doc: "Asked for the parts that are still missing then; it needs parts of the same names",
  }),
  onMissing: z.enum(["fail", "continue"]).default("fail").meta({
    doc: "When parts are missing after all: fail, or go on with them named in the output",
  }),
}).superRefine(({ request, fallback }, ctx) => {
  if (!request.parts) {
    ctx.addIssue({
      code: "custom",
      path: ["request", "parts"],
      message: "Give the request's parts",
    });
  }
  const has = new Set(fallback?.parts?.map((part) => part.name));
  const lacking = fallback ? (request.parts ?? []).filter(({ name }) => !has.has(name)) : [];
  if (lacking.length > 0) {
    ctx.addIssue({
      code: "custom",
      path: ["fallback", "parts"],
      message: `Give the fallback parts of these names too: ${
        lacking.slice(0, 5).map(({ name }) => name).join(", ")
      }`,
    });
  }
});
/** See {@link RetryPartsParams}. */
export type RetryPartsParams = z.output<typeof RetryPartsParams>;

/** Fetch again the parts that a collection with `onPartFailure: "collect"` went on without. */
export const retryParts = operator({
  name: "retry.parts",
  summary: "Fetch again just the parts that failed upstream, with back-off and a fallback source",
  params: RetryPartsParams,
  inputs: { from: RawFiles },
  output: RawFiles,
  permissions: ({ request, fallback }) => ({
    net: [...requestPermissions(record(request)).net, ...requestPermissions(record(fallback)).net],
  }),
  connections: ({ request, fallback }) => [
    ...new Set([...requestConnections(record(request)), ...requestConnections(record(fallback))]),
  ],
  load: () => import("./parts_run.ts"),
});

function record(value: unknown): Record<string, unknown> {
  return typeof value === "object" && value !== null ? value as Record<string, unknown> : {};
}
