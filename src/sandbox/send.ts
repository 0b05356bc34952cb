/** @module From bytes to a response, whole or broken on the way. */
import type { Wire } from "./answer.ts";
import type { Fault } from "./faults.ts";

/** The response, with a fault of the wire put in. */
export function send({ status, headers, bytes }: Wire, fault: Fault | null): Response {
  const broken = (part: number, end: "close" | "hang" | "break") =>
    new Response(chunks(bytes.subarray(0, part), end), { status, headers });
  switch (fault?.kind) {
    case "truncate":
      headers.delete("repr-digest");
      headers.delete("etag");
      return broken(fault.afterBytes, "close");
    case "stall":
    case "cut":
      headers.set("content-length", String(bytes.length));
      return broken(fault.afterBytes, fault.kind === "stall" ? "hang" : "break");
    case "bad_digest":
      headers.set("repr-digest", `sha-256=:${"A".repeat(43)}=:`);
      break;
    case "flipped_byte":
      bytes = bytes.slice();
      bytes[bytes.length >> 1] ^= 1;
  }
  return new Response([204, 304].includes(status) ? null : bytes, { status, headers });
}

function chunks(bytes: Uint8Array, end: "close" | "hang" | "break"): ReadableStream<Uint8Array> {
  let sent = false;
  return new ReadableStream({
    pull(controller) {
      if (!sent && bytes.length > 0) {
        sent = true;
        return controller.enqueue(bytes.slice());
      }
      if (end === "close") controller.close();
      if (end === "break") controller.error(new Error("The connection was broken on purpose"));
      return end === "hang" ? new Promise<void>(() => {}) : undefined;
    },
  }, { highWaterMark: 0 });
}
