/** @module The child's end of the frames: standard input and output as they were at the start. */
import { limits } from "../../base/limits.ts";
import type { FromChild, ToChild } from "../../contract/child.ts";
import { encodeFrame, FrameReader } from "../../contract/frames.ts";

const READ_BYTES = 64 * 1024;

/** Frames both ways. */
export interface Wire {
  send(frame: FromChild): void;
  /** Deliver frames until the supervisor is gone. */
  listen(onFrame: (frame: ToChild) => void): Promise<void>;
}

/** Read the nonce and open the wire; null when the supervisor is gone already. */
export async function openWire(): Promise<Wire | null> {
  const read = Deno.stdin.read.bind(Deno.stdin);
  const write = Deno.stdout.writeSync.bind(Deno.stdout);
  const first = await readLine(read);
  if (first === null) return null;
  const { line: nonce, rest } = first;
  return {
    send(frame) {
      let bytes = encodeFrame(nonce, frame);
      if (bytes.length > limits.frameBytes) {
        bytes = encodeFrame(nonce, tooLarge(frame, bytes.length));
      }
      for (let at = 0; at < bytes.length;) at += write(bytes.subarray(at));
    },
    async listen(onFrame) {
      const reader = new FrameReader(nonce, {
        frame: (json) => onFrame(JSON.parse(json)),
        stray() {},
        tooLarge() {},
      });
      reader.push(rest);
      for (;;) {
        const buffer = new Uint8Array(READ_BYTES);
        const count = await read(buffer);
        if (count === null) return;
        reader.push(buffer.subarray(0, count));
      }
    },
  };
}

async function readLine(
  read: (buffer: Uint8Array) => Promise<number | null>,
): Promise<{ line: string; rest: Uint8Array } | null> {
  let held = new Uint8Array(0);
  const buffer = new Uint8Array(READ_BYTES);
  for (;;) {
    const count = await read(buffer);
    if (count === null) return null;
    const all = new Uint8Array(held.length + count);
    all.set(held);
    all.set(buffer.subarray(0, count), held.length);
    const end = all.indexOf(0x0a);
    if (end >= 0) {
      return { line: new TextDecoder().decode(all.subarray(0, end)), rest: all.subarray(end + 1) };
    }
    held = all;
  }
}

/** The supervisor would read no further than its limit. */
function tooLarge(frame: FromChild, bytes: number): FromChild {
  if (frame.type === "log") {
    return { ...frame, message: `A log line of ${bytes} bytes was dropped`, fields: {} };
  }
  const what = frame.type === "ask" ? `a request for ${frame.ask.what}` : "the task's outcome";
  return {
    type: "failed",
    error: {
      name: "RangeError",
      message: `Cannot hand over ${what}: it has ${bytes} bytes of JSON, at most ` +
        `${limits.outputBytes} can be; put large data into files with ctx.files.put()`,
      detail: { endReason: "invalid_outcome" },
    },
  };
}
