/** @module From `TIDEWHEEL_OBJECTS` to an object store. */
import { fileURLToPath } from "node:url";
import { AppError } from "../model/errors.ts";
import { fileObjectStore } from "./file.ts";
import { memoryObjectStore } from "./memory.ts";
import type { ObjectStore } from "./port.ts";
import { s3ObjectStore } from "./s3.ts";

/**
 * Open the store at `url`: `file:///folder`, `memory:`, or
 * `s3://bucket/prefix?endpoint=http://host:port&region=eu-west-1`. Throws INVALID for any other.
 */
export function openObjectStore(url: string): ObjectStore {
  const parsed = URL.parse(url);
  switch (parsed?.protocol) {
    case "file:":
      return fileObjectStore(fileURLToPath(parsed));
    case "memory:":
      return memoryObjectStore();
    case "s3:":
      return s3ObjectStore({
        bucket: bucketOf(parsed, url),
        prefix: decodeURIComponent(parsed.pathname).replace(/^\/+|\/+$/g, ""),
        endpoint: parsed.searchParams.get("endpoint") ?? undefined,
        region: parsed.searchParams.get("region") ?? undefined,
      });
    default:
      throw invalid(url, "it is none of file:///folder, s3://bucket/prefix and memory:");
  }
}

function bucketOf(parsed: URL, url: string): string {
  if (!parsed.hostname) throw invalid(url, "the bucket is missing; write s3://bucket/prefix");
  const unknown = [...parsed.searchParams.keys()].find((k) => k !== "endpoint" && k !== "region");
  if (unknown) throw invalid(url, `"${unknown}" is not known; there are "endpoint" and "region"`);
  const endpoint = parsed.searchParams.get("endpoint");
  if (endpoint !== null && !/^https?:$/.test(URL.parse(endpoint)?.protocol ?? "")) {
    throw invalid(url, `endpoint "${endpoint}" is not an http or https URL`);
  }
  return parsed.hostname;
}

function invalid(url: string, why: string): AppError {
  return new AppError("INVALID", `Cannot open the object store "${url}": ${why}`);
}
