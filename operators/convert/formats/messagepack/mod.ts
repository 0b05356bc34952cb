/** @module MessagePack: a stream of objects, or one array of them. */
import type { Format } from "../format.ts";
import { looksLikeRecords } from "./records.ts";

/** MessagePack by its specification, with the timestamp extension. */
export const messagepack: Format = {
  name: "messagepack",
  extensions: ["msgpack", "mpk", "messagepack"],
  mediaType: "application/vnd.msgpack",
  content: "binary",
  recognise(head, name) {
    const isNamed = /\.(msgpack|mpk|messagepack)(\.\w{2,4})?$/i.test(name);
    return looksLikeRecords(head) ? isNamed ? 0.97 : 0.92 : isNamed ? 0.3 : 0;
  },
  read: async (call) => await (await import("./read.ts")).readMessagePack(call),
};
