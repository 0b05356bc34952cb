/** @module Protocol Buffers: messages one after the other, or a repeated field of one message. */
import type { Format } from "../format.ts";

/** Protocol Buffers by a schema that is told. */
export const protobuf: Format = {
  name: "protobuf",
  extensions: ["pb", "binpb", "protobuf"],
  mediaType: "application/x-protobuf",
  content: "binary",
  // Its bytes may be anything's: the name is all that speaks for it.
  recognise(head, name) {
    if (!/\.(pb|binpb|protobuf)(\.\w{2,4})?$/i.test(name)) return 0;
    return head.some((byte) => byte < 9) ? 0.9 : 0.3;
  },
  read: async (call) => await (await import("./read.ts")).readProtobuf(call),
};
