/** @module `collect.http`: bytes from an HTTP source, as they are. */
import { z } from "zod";
import { RawFiles } from "../../../src/model/data.ts";
import { operator } from "../../../src/sdk/operator.ts";
import { rawDataset, rawParams } from "../raw.ts";
import { HttpRequest, requestConnections, requestPermissions } from "./request_params.ts";

/** Parameters of {@link collectHttp}. */
export const CollectHttpParams = z.object({
  ...rawParams,
  ...HttpRequest.shape,
  conditional: z.boolean().default(true).meta({
    doc: "Ask with the ETag and Last-Modified of the last success, where an answer is one page; " +
      "an answer of 304 puts out the files of then",
  }),
  onPartFailure: z.enum(["fail", "collect"]).default("fail").meta({
    doc: "A part that fails: fail the task, or go on and name it in the output for retry.parts",
  }),
}).refine(({ connection, url }) => connection !== undefined || url !== undefined, {
  error: "Say where the source is: give a connection, or a url",
  path: ["connection"],
});

/** Collect the pages of an HTTP API, or a file behind a URL, into raw files. */
export const collectHttp = operator({
  name: "collect.http",
  summary: "Collect pages or files from an HTTP source, exactly as they came",
  params: CollectHttpParams,
  output: RawFiles,
  permissions: requestPermissions,
  connections: requestConnections,
  datasets: ({ source }) => typeof source === "string" ? [rawDataset(source)] : [],
  load: () => import("./run.ts"),
});
