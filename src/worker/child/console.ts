/** @module What the user's code prints becomes log lines. */
import type { LogLine } from "../../contract/execution.ts";

type Print = (level: LogLine["level"], message: string) => void;

/**
 * Send the global console and what is written to `Deno.stdout` to `print`, line by line. Returns what
 * sends a line that has no end yet.
 */
export function captureOutput(print: Print): () => void {
  captureConsole(print);
  hideStdin();
  return captureStdout((line) => print("INFO", line));
}

function captureConsole(print: Print): void {
  const at = (level: LogLine["level"]) => (...args: unknown[]) => print(level, format(args));
  const info = at("INFO");
  const counts = new Map<string, number>();
  Object.assign(console, {
    debug: at("DEBUG"),
    log: info,
    info,
    dir: (value: unknown) => info(value),
    dirxml: info,
    table: (value: unknown) => info(value),
    group: (...args: unknown[]) => args.length > 0 && info(...args),
    groupCollapsed: (...args: unknown[]) => args.length > 0 && info(...args),
    groupEnd() {},
    clear() {},
    warn: at("WARN"),
    error: at("ERROR"),
    trace: (...args: unknown[]) => at("DEBUG")(...args, new Error("trace").stack),
    assert: (holds: unknown, ...args: unknown[]) =>
      holds || at("ERROR")("Assertion failed", ...args),
    count: (label = "default") => {
      counts.set(label, (counts.get(label) ?? 0) + 1);
      info(`${label}: ${counts.get(label)}`);
    },
    countReset: (label = "default") => counts.delete(label),
  });
}

/** As the console does it: `%s`, `%d`, `%i`, `%f`, `%j`, `%o`, `%O`; the rest with spaces between. */
function format(args: unknown[]): string {
  const rest = [...args];
  let text = "";
  if (typeof rest[0] === "string" && rest.length > 1) {
    const pattern = rest.shift() as string;
    text = pattern.replace(/%[sdifjoOc%]/g, (mark) => {
      if (mark === "%%") return "%";
      return rest.length === 0 ? mark : substitute(mark, rest.shift());
    });
    if (rest.length > 0) text += " ";
  }
  return text + rest.map(show).join(" ");
}

function substitute(mark: string, value: unknown): string {
  switch (mark) {
    case "%s":
      return typeof value === "object" ? show(value) : String(value);
    case "%d":
    case "%f":
      return String(Number(value));
    case "%i":
      return String(Math.trunc(Number(value)));
    case "%j":
      return JSON.stringify(value) ?? "undefined";
    case "%c":
      return "";
    default:
      return show(value);
  }
}

function show(value: unknown): string {
  return typeof value === "string" ? value : Deno.inspect(value, { colors: false, depth: 6 });
}

/** Frames use the real one; whole lines of others go into the log. */
function captureStdout(print: (line: string) => void): () => void {
  const decoder = new TextDecoder();
  let partial = "";
  const take = (data: Uint8Array) => {
    const lines = (partial + decoder.decode(data, { stream: true })).split("\n");
    partial = lines.pop()!;
    if (partial.length > 65_536) lines.push(partial), partial = "";
    for (const line of lines) print(line);
    return data.length;
  };
  Object.defineProperties(Deno.stdout, {
    writeSync: { value: take },
    write: { value: (data: Uint8Array) => Promise.resolve(take(data)) },
    writable: {
      value: new WritableStream<Uint8Array>({ write: (data) => void take(data) }),
    },
  });
  return () => {
    if (partial !== "") print(partial);
    partial = "";
  };
}

/** The real one carries frames: to the user's code it is at its end. */
function hideStdin(): void {
  Object.defineProperties(Deno.stdin, {
    readSync: { value: () => null },
    read: { value: () => Promise.resolve(null) },
    readable: { value: new ReadableStream({ start: (controller) => controller.close() }) },
  });
}
