/**
 * @module The engine's process: DuckDB and nothing else. It may load its binding and may not read,
 * write, connect or run anything by itself; SQL reads what the settings allow.
 */
import type { ErrorCode } from "../model/errors.ts";
import { codeOfEngine } from "./failure.ts";
import { TextLineStream } from "./lines.ts";
import type { FromEngine, ToEngine } from "./protocol.ts";
import { encodeResult, type EngineSession, openSession } from "./session.ts";

const encoder = new TextEncoder();
let session: EngineSession | null = null;
let busy: Promise<void> = Promise.resolve();

await answer({ type: "ready" });
for await (const line of Deno.stdin.readable.pipeThrough(new TextLineStream())) {
  const message = JSON.parse(line) as ToEngine;
  if (message.type === "interrupt") interrupt();
  else busy = busy.then(() => take(message));
}
// The client is gone: nobody waits for what still runs.
interrupt();
Deno.exit(0);

async function take(message: Exclude<ToEngine, { type: "interrupt" }>): Promise<void> {
  try {
    switch (message.type) {
      case "open":
        session = await openSession(message.settings);
        return await answer({ type: "opened" });
      case "run":
        return await send(encodeResult(await session!.run(message.request)));
      case "close":
        session?.close();
        session = null;
        return await answer({ type: "closed" });
    }
  } catch (error) {
    const text = error instanceof Error ? error.message : String(error);
    await answer({ type: "failed", code: codeOf(error) ?? codeOfEngine(text), message: text });
  }
}

function codeOf(error: unknown): ErrorCode | null {
  const { name, code } = error as { name?: unknown; code?: unknown };
  return name === "AppError" ? code as ErrorCode : null;
}

function interrupt(): void {
  session?.interrupt();
}

function answer(message: FromEngine): Promise<void> {
  return send(JSON.stringify(message));
}

async function send(line: string): Promise<void> {
  let bytes = encoder.encode(line + "\n");
  while (bytes.length > 0) bytes = bytes.subarray(await Deno.stdout.write(bytes));
}
