/** @module Read options of Protocol Buffers. */
import { z } from "zod";

/** How a file of Protocol Buffers is read: its bytes do not say. */
export const ProtobufParams = z.object({
  schema: z.string().min(1).optional().meta({
    doc: "Text of the .proto file (a DAG reads it from its bundle: Deno.readTextFileSync)",
    example: 'syntax = "proto3"; message Trade { int64 id = 1; }',
  }),
  imports: z.record(z.string(), z.string()).default({}).meta({
    doc: "Texts of the .proto files that it imports, by the names that it has for them; those of " +
      "google/protobuf are known",
  }),
  descriptor: z.base64().optional().meta({
    doc: "Instead of texts: a FileDescriptorSet (protoc --descriptor_set_out --include_imports) " +
      "in base64",
  }),
  message: z.string().min(1).meta({
    doc: "Full name of the message type of the records; with `records`, of the whole file",
    example: "market.Trade",
  }),
  framing: z.enum(["varint", "fixed32be", "fixed32le", "single"]).default("varint").meta({
    doc: "What is before each message: its length as a varint, or in four bytes, the highest or " +
      "the lowest first; single: the file is one message, and with `records` (a pointer like " +
      "/trades) its records are the elements of that repeated field",
  }),
}).refine(({ schema, descriptor }) => (schema === undefined) !== (descriptor === undefined), {
  message: "Give either the schema's text or a descriptor",
});
/** See {@link ProtobufParams}. */
export type ProtobufParams = z.infer<typeof ProtobufParams>;
