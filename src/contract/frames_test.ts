import { assertEquals } from "@std/assert";
import { limits } from "../base/limits.ts";
import { encodeFrame, FrameReader } from "./frames.ts";

const bytes = (text: string) => new TextEncoder().encode(text);

function collect(pieces: Uint8Array[]) {
  const seen: { frames: unknown[]; stray: string[]; tooLarge: number } = {
    frames: [],
    stray: [],
    tooLarge: 0,
  };
  const reader = new FrameReader("n0nce", {
    frame: (json) => seen.frames.push(JSON.parse(json)),
    stray: (line) => seen.stray.push(line),
    tooLarge: (size) => seen.tooLarge = size,
  });
  for (const piece of pieces) reader.push(piece);
  reader.end();
  return seen;
}

Deno.test("FrameReader reads frames wherever the stream is cut", () => {
  const stream = new Uint8Array([
    ...encodeFrame("n0nce", { type: "ready" }),
    ...encodeFrame("n0nce", { type: "log", message: "ä\n\x1e" }),
  ]);
  for (let cut = 0; cut <= stream.length; cut++) {
    const { frames, stray } = collect([stream.subarray(0, cut), stream.subarray(cut)]);
    assertEquals(frames, [{ type: "ready" }, { type: "log", message: "ä\n\x1e" }]);
    assertEquals(stray, []);
  }
});

Deno.test("FrameReader tells output from frames, also on one line and with another nonce", () => {
  const { frames, stray } = collect([
    bytes("hello\nno newline"),
    encodeFrame("n0nce", { type: "ready" }),
    bytes('\x1eother {"type":"outcome"}\n\x1e\x1e'),
    encodeFrame("n0nce", { type: "failed" }),
    bytes("tail"),
  ]);
  assertEquals(frames, [{ type: "ready" }, { type: "failed" }]);
  assertEquals(stray, [
    "hello",
    "no newline",
    '\x1eother {"type":"outcome"}',
    "\x1e\x1e",
    "tail",
  ]);
});

Deno.test("FrameReader passes an endless line on in pieces and still finds the frame behind it", () => {
  const piece = new Uint8Array(limits.logLineBytes).fill(65);
  const { frames, stray } = collect([
    piece,
    piece,
    piece,
    encodeFrame("n0nce", { type: "ready" }),
  ]);
  assertEquals(frames, [{ type: "ready" }]);
  assertEquals(stray.join("").length, 3 * limits.logLineBytes);
});

Deno.test("FrameReader refuses a frame past the limit", () => {
  const piece = new Uint8Array(8 * 1024 * 1024).fill(65);
  const { frames, tooLarge } = collect([
    bytes('\x1en0nce "'),
    ...Array.from({ length: 11 }, () => piece),
    bytes('"\n'),
    encodeFrame("n0nce", { type: "ready" }),
  ]);
  assertEquals(frames, []);
  assertEquals(tooLarge > limits.frameBytes, true);
});
