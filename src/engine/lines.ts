/** @module Lines of a stream of UTF-8. */

/** Splits at `\n`; a last line without one counts when the stream ends. */
export class TextLineStream extends TransformStream<Uint8Array<ArrayBuffer>, string> {
  constructor() {
    const decoder = new TextDecoder();
    let pending: string[] = [];
    super({
      transform(chunk, controller) {
        const parts = decoder.decode(chunk, { stream: true }).split("\n");
        for (let i = 0; i < parts.length - 1; i++) {
          pending.push(parts[i]);
          controller.enqueue(pending.join(""));
          pending = [];
        }
        if (parts[parts.length - 1] !== "") pending.push(parts[parts.length - 1]);
      },
      flush(controller) {
        const rest = pending.join("") + decoder.decode();
        if (rest !== "") controller.enqueue(rest);
      },
    });
  }
}
