/**
 * @module The door to `@aws-sdk/client-s3`: loaded when an S3 store is opened, never before.
 *
 * Only what the store uses is declared here, so that checking types needs no download either.
 */

/** What the store sends; the names and fields are the S3 API's. */
export interface S3Commands {
  PutObject: { Body: Uint8Array; Key: string; IfNoneMatch: string };
  GetObject: { Key: string; Range?: string };
  HeadObject: { Key: string };
  DeleteObject: { Key: string };
  ListObjectsV2: { Prefix: string; ContinuationToken?: string };
  CreateMultipartUpload: { Key: string };
  UploadPart: { Key: string; UploadId: string; PartNumber: number; Body: Uint8Array };
  CompleteMultipartUpload: {
    Key: string;
    UploadId: string;
    IfNoneMatch: string;
    MultipartUpload: { Parts: { PartNumber: number; ETag: string }[] };
  };
  AbortMultipartUpload: { Key: string; UploadId: string };
}

/** What of its answers the store reads. */
export interface S3Answers {
  PutObject: unknown;
  GetObject: {
    ContentLength: number;
    Body: {
      transformToByteArray(): Promise<Uint8Array>;
      transformToWebStream(): ReadableStream<Uint8Array>;
    };
  };
  HeadObject: { ContentLength: number; LastModified: Date };
  DeleteObject: unknown;
  ListObjectsV2: {
    Contents?: { Key: string; Size: number; LastModified: Date }[];
    NextContinuationToken?: string;
  };
  CreateMultipartUpload: { UploadId: string };
  UploadPart: { ETag: string };
  CompleteMultipartUpload: unknown;
  AbortMultipartUpload: unknown;
}

/** Sends one command to one bucket. */
export type S3Send = <C extends keyof S3Commands>(
  command: C,
  input: S3Commands[C],
) => Promise<S3Answers[C]>;

/** Where a bucket is. Credentials come as the AWS SDK finds them (environment, files, roles). */
export interface S3Location {
  bucket: string;
  /** Any S3-compatible server; default: AWS. */
  endpoint?: string;
  /** Default `us-east-1`. */
  region?: string;
}

type Command = abstract new () => unknown;
interface S3Module {
  S3Client: new (config: Record<string, unknown>) => { send(command: unknown): Promise<unknown> };
  [command: `${string}Command`]: new (input: unknown) => InstanceType<Command>;
}

/** Load the SDK and connect to `bucket`. */
export async function connectS3({ bucket, endpoint, region }: S3Location): Promise<S3Send> {
  // Not a literal: a literal import would be fetched with the program, whether used or not.
  const specifier = ["@aws-sdk", "client-s3"].join("/");
  const sdk: S3Module = await import(specifier);
  const client = new sdk.S3Client({
    region: region ?? "us-east-1",
    ...(endpoint ? { endpoint, forcePathStyle: true } : {}),
    // Other servers than AWS's do not all know the newer checksums.
    requestChecksumCalculation: "WHEN_REQUIRED",
    responseChecksumValidation: "WHEN_REQUIRED",
  });
  return (command, input) =>
    // deno-lint-ignore no-explicit-any
    client.send(new sdk[`${command}Command`]({ Bucket: bucket, ...input })) as Promise<any>;
}
