/**
 * @module The process that imports DAG files. It can read their bundles and nothing else.
 *
 * First line in: a nonce. Each further line in: `{"id", "url"}`; each answer out is one line
 * `\x1e<nonce> {"id", "dags" | "error"}`, so that what DAG files print is not taken for an answer.
 */
import { frameMark } from "../contract/child.ts";
import { dagsOf } from "../sdk/dag.ts";

// Taken before any DAG file could replace them.
const { parse, stringify } = JSON;
const encoder = new TextEncoder();
const encode = encoder.encode.bind(encoder);
const writeSync = Deno.stdout.writeSync.bind(Deno.stdout);
const { port1, port2 } = new MessageChannel();

let strayError: unknown;
let hasStrayError = false;
const keepStray = (error: unknown) => {
  if (!hasStrayError) strayError = error;
  hasStrayError = true;
};
globalThis.addEventListener("unhandledrejection", (event) => {
  event.preventDefault();
  keepStray(event.reason);
});
globalThis.addEventListener("error", (event) => {
  event.preventDefault();
  keepStray(event.error);
});

const lines = Deno.stdin.readable
  .pipeThrough(new TextDecoderStream())
  .pipeThrough(splitLines())
  .values();
const nonce = (await lines.next()).value;
write(`${frameMark}${nonce} {"ready":true}\n`);
for await (const line of lines) {
  const { id, url } = parse(line);
  write(`${frameMark}${nonce} ${stringify({ id, ...await describe(url) })}\n`);
}
Deno.exit(0);

/** Import a module and describe its DAGs. */
async function describe(url: string) {
  hasStrayError = false;
  try {
    const dags = dagsOf(await import(url)).map((dag) => dag.spec);
    // Promises that nobody awaits get the time to fail.
    for (let turn = 0; turn < 3; turn++) await nextTurn();
    if (hasStrayError) throw strayError;
    return { dags };
  } catch (error) {
    return { error: describeError(error) };
  }
}

/** A turn of the event loop; a timer would take milliseconds. */
function nextTurn(): Promise<void> {
  return new Promise((resolve) => {
    port2.onmessage = () => resolve();
    port1.postMessage(null);
  });
}

function describeError(error: unknown) {
  if (!(error instanceof Error)) {
    return { name: "", message: `it threw ${typeof error}: ${String(error)}`, stack: "" };
  }
  const { name, message, stack, cause } = error;
  const because = cause instanceof Error ? `\n${cause.stack ?? ""}` : "";
  return { name: String(name), message: String(message), stack: `${stack ?? ""}${because}` };
}

function write(text: string): void {
  const bytes = encode(text);
  for (let at = 0; at < bytes.length;) at += writeSync(bytes.subarray(at));
}

function splitLines(): TransformStream<string, string> {
  let rest = "";
  return new TransformStream({
    transform(chunk, controller) {
      const parts = (rest + chunk).split("\n");
      rest = parts.pop()!;
      for (const part of parts) controller.enqueue(part);
    },
  });
}
