/**
 * @module Objects in an S3 bucket, on AWS or any server with conditional puts.
 *
 * `If-None-Match: *` makes a put fail where the key exists, so that objects never change here either.
 */
import { dirname } from "node:path";
import { randomToken } from "../base/ids.ts";
import { AppError, messageOf } from "../model/errors.ts";
import { checkKey, checkPrefix, objectErrors } from "./key.ts";
import { equalBytes } from "./memory.ts";
import type { ObjectInfo, ObjectStore } from "./port.ts";
import { connectS3, type S3Location, type S3Send } from "./s3_client.ts";

/** Larger files go up in parts of this size (or larger: S3 takes at most 10,000 parts). */
const PART_BYTES = 16 * 1024 * 1024;
const PARTS_MAX = 10_000;
const PARTS_AT_ONCE = 4;

/** Where the objects are: keys are put below `prefix`. */
export interface S3Options extends S3Location {
  prefix?: string;
}

/** Objects of a bucket. The SDK is loaded with the first call. */
export function s3ObjectStore({ prefix = "", ...location }: S3Options): ObjectStore {
  const root = prefix === "" ? "" : `${prefix.replace(/\/+$/, "")}/`;
  let connection: Promise<S3Send> | undefined;
  const send: S3Send = async (command, input) => {
    connection ??= connectS3(location);
    return await (await connection)(command, input);
  };
  const where = `bucket ${location.bucket}`;
  const at = (key: string): string => {
    checkKey(key);
    return root + key;
  };
  const fail = (verb: string, key: string) => (error: unknown): never => {
    throw asS3Error(error, { verb, key, where });
  };

  async function stat(key: string): Promise<ObjectInfo | null> {
    const Key = at(key);
    try {
      const found = await send("HeadObject", { Key });
      return { key, bytes: found.ContentLength, modifiedAt: found.LastModified };
    } catch (error) {
      return isNotFound(error) ? null : fail("look at", key)(error);
    }
  }

  const store: ObjectStore = {
    stat,
    async put(key, data) {
      const Key = at(key);
      await send("PutObject", { Key, Body: data, IfNoneMatch: "*" }).catch(async (error) => {
        if (!isPrecondition(error)) return fail("put", key)(error);
        if (!equalBytes(await store.get(key), data)) throw objectErrors.conflict(key);
      });
    },
    async putFile(key, path) {
      const Key = at(key);
      const { size } = await Deno.stat(path);
      if (size <= PART_BYTES) return await store.put(key, await Deno.readFile(path));
      await putParts(send, Key, { path, size }).catch(async (error) => {
        if (!isPrecondition(error)) return fail("put", key)(error);
        if (!await equalsFile(store, key, path)) throw objectErrors.conflict(key);
      });
    },
    async get(key) {
      const Key = at(key);
      const found = await send("GetObject", { Key }).catch(fail("read", key));
      return await found.Body.transformToByteArray();
    },
    async stream(key, range) {
      const Key = at(key);
      if (range) {
        const info = await stat(key);
        if (!info) throw objectErrors.notFound(key, where);
        if (range.start > info.bytes) throw objectErrors.range(key, range.start, info.bytes);
        // An empty range cannot be asked for in HTTP.
        if (range.start >= Math.min(range.end ?? Infinity, info.bytes)) {
          return ReadableStream.from([]);
        }
      }
      const Range = range && `bytes=${range.start}-${range.end === undefined ? "" : range.end - 1}`;
      const found = await send("GetObject", { Key, Range }).catch(fail("read", key));
      return found.Body.transformToWebStream();
    },
    async materialize(key, dir) {
      checkKey(key);
      const path = `${dir}/${key}`;
      if (await Deno.stat(path).catch(() => null)) return path;
      const body = await store.stream(key);
      await Deno.mkdir(dirname(path), { recursive: true });
      const temp = `${path}~${randomToken(9)}`;
      try {
        await Deno.writeFile(temp, body);
        await Deno.rename(temp, path);
      } catch (error) {
        await Deno.remove(temp).catch(() => {});
        throw error;
      }
      return path;
    },
    async *list(prefix) {
      checkPrefix(prefix);
      let ContinuationToken: string | undefined;
      do {
        const page = await send("ListObjectsV2", { Prefix: root + prefix, ContinuationToken })
          .catch(fail("list", prefix));
        for (const { Key, Size, LastModified } of page.Contents ?? []) {
          yield { key: Key.slice(root.length), bytes: Size, modifiedAt: LastModified };
        }
        ContinuationToken = page.NextContinuationToken;
      } while (ContinuationToken);
    },
    async delete(key) {
      const Key = at(key);
      await send("DeleteObject", { Key }).catch((error) => {
        if (!isNotFound(error)) fail("delete", key)(error);
      });
    },
  };
  return store;
}

async function putParts(
  send: S3Send,
  Key: string,
  { path, size }: { path: string; size: number },
): Promise<void> {
  const partBytes = Math.max(PART_BYTES, Math.ceil(size / PARTS_MAX));
  const { UploadId } = await send("CreateMultipartUpload", { Key });
  const etags: string[] = [];
  let next = 0;
  const putNext = async () => {
    using file = await Deno.open(path);
    for (let part = next++; part * partBytes < size; part = next++) {
      const Body = await readAt(
        file,
        part * partBytes,
        Math.min(partBytes, size - part * partBytes),
      );
      const sent = await send("UploadPart", { Key, UploadId, PartNumber: part + 1, Body });
      etags[part] = sent.ETag;
    }
  };
  try {
    // All of them end before an abort: a part that arrives after it would stay for ever.
    const stopOthers = (error: unknown) => {
      next = PARTS_MAX;
      throw error;
    };
    const sent = await Promise.allSettled(
      Array.from({ length: PARTS_AT_ONCE }, () => putNext().catch(stopOthers)),
    );
    for (const one of sent) if (one.status === "rejected") throw one.reason;
    await send("CompleteMultipartUpload", {
      Key,
      UploadId,
      IfNoneMatch: "*",
      MultipartUpload: { Parts: etags.map((ETag, i) => ({ PartNumber: i + 1, ETag })) },
    });
  } catch (error) {
    await send("AbortMultipartUpload", { Key, UploadId }).catch(() => {});
    throw error;
  }
}

async function readAt(file: Deno.FsFile, start: number, bytes: number): Promise<Uint8Array> {
  const data = new Uint8Array(bytes);
  await file.seek(start, Deno.SeekMode.Start);
  for (let filled = 0; filled < bytes;) {
    const n = await file.read(data.subarray(filled));
    if (n === null) throw new Error(`the file ended at byte ${start + filled} while it was read`);
    filled += n;
  }
  return data;
}

async function equalsFile(store: ObjectStore, key: string, path: string): Promise<boolean> {
  using file = await Deno.open(path);
  if ((await store.stat(key))?.bytes !== (await file.stat()).size) return false;
  let at = 0;
  for await (const chunk of await store.stream(key)) {
    if (!equalBytes(chunk, await readAt(file, at, chunk.length))) return false;
    at += chunk.length;
  }
  return true;
}

interface S3Failure {
  name?: string;
  $metadata?: { httpStatusCode?: number };
}

const statusOf = (error: unknown) => (error as S3Failure).$metadata?.httpStatusCode;

function isNotFound(error: unknown): boolean {
  return statusOf(error) === 404 && (error as S3Failure).name !== "NoSuchBucket";
}

/** 412: the key exists; 409: another writer of it was faster. */
function isPrecondition(error: unknown): boolean {
  return statusOf(error) === 412 || statusOf(error) === 409;
}

function asS3Error(
  error: unknown,
  { verb, key, where }: { verb: string; key: string; where: string },
): AppError {
  if (error instanceof AppError) return error;
  if (isNotFound(error)) return objectErrors.notFound(key, where, error);
  const { name = "" } = error as S3Failure;
  if (statusOf(error) === 507 || /StorageFull|QuotaExceeded|InsufficientStorage/.test(name)) {
    return new AppError(
      "DISK_FULL",
      `Cannot ${verb} object "${key}": the storage of ${where} is full`,
      {
        detail: { key },
        cause: error,
      },
    );
  }
  return new AppError(
    "UNAVAILABLE",
    `Cannot ${verb} object "${key}" in ${where}: ${name ? `${name}: ` : ""}${messageOf(error)}`,
    { detail: { key }, cause: error },
  );
}
