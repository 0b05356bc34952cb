/**
 * @module Traces over OTLP. Deno itself sends them, if its environment said so when it started; so
 * where a setting says so, the program starts again in its own place: same process, other environment.
 */
import { AppError } from "../model/errors.ts";
import type { Settings } from "../settings.ts";

/** What goes into the environment; what is there already stays, but for `OTEL_DENO`. */
function telemetryEnv(environment: string, role: string, env: Record<string, string>) {
  const value = (text: string) => encodeURIComponent(text);
  const ours = `deployment.environment.name=${value(environment)},tidewheel.role=${value(role)}`;
  const given = env.OTEL_RESOURCE_ATTRIBUTES;
  return {
    OTEL_SERVICE_NAME: "tidewheel",
    // Its own metrics and console lines: those have /metrics and the log.
    OTEL_DENO_METRICS: "false",
    OTEL_DENO_CONSOLE: "ignore",
    ...env,
    OTEL_RESOURCE_ATTRIBUTES: given ? `${ours},${given}` : ours,
    OTEL_DENO: "true",
  };
}

/**
 * See to it that traces are sent where `JAEGER_ENABLED` asks for them: returns when they will be, or
 * never. Throws UNAVAILABLE where a process cannot be started in place of this one.
 */
export function ensureTelemetry(
  { jaegerEnabled, environment }: Pick<Settings, "jaegerEnabled" | "environment">,
  role: string,
): void {
  const env = Deno.env.toObject();
  if (!jaegerEnabled || (env.OTEL_DENO === "true" && env.OTEL_SERVICE_NAME)) return;
  const program = Deno.execPath();
  const args = [program, "run", "-A", "--quiet", Deno.mainModule, ...Deno.args];
  execute(program, args, telemetryEnv(environment, role, env));
}

const libraries: Partial<Record<typeof Deno.build.os, string>> = {
  linux: "libc.so.6",
  darwin: "libSystem.dylib",
};

/** execve(2): it does not return, unless it fails. */
function execute(program: string, args: string[], env: Record<string, string>): void {
  const failed = (why: string) =>
    new AppError(
      "UNAVAILABLE",
      `Cannot start again with OTEL_DENO=true, which JAEGER_ENABLED needs: ${why}; set OTEL_DENO=true ` +
        "and OTEL_SERVICE_NAME=tidewheel in the environment, or JAEGER_ENABLED=false",
    );
  const library = libraries[Deno.build.os];
  if (library === undefined) throw failed(`execve is not known on ${Deno.build.os}`);
  const libc = Deno.dlopen(library, {
    execve: { parameters: ["pointer", "pointer", "pointer"], result: "i32" },
  });
  const assigned = Object.entries(env).map(([name, value]) => `${name}=${value}`);
  const [path, argv, envp] = [[program], args, assigned].map(cStrings);
  libc.symbols.execve(addressOf(path.text), addressOf(argv.list), addressOf(envp.list));
  libc.close();
  throw failed(`execve of ${program} failed`);
}

/** Texts as C has them, and the list of their addresses; buffers of their own do not move. */
function cStrings(items: string[]): { text: Uint8Array<ArrayBuffer>; list: BigUint64Array } {
  const encoded = items.map((item) => new TextEncoder().encode(`${item}\0`));
  const text = new Uint8Array(new ArrayBuffer(encoded.reduce((sum, one) => sum + one.length, 0)));
  const list = new BigUint64Array(new ArrayBuffer(8 * (items.length + 1)));
  const base = BigInt(Deno.UnsafePointer.value(addressOf(text)));
  let at = 0;
  for (const [i, one] of encoded.entries()) {
    text.set(one, at);
    list[i] = base + BigInt(at);
    at += one.length;
  }
  return { text, list };
}

function addressOf(buffer: Uint8Array<ArrayBuffer> | BigUint64Array): Deno.PointerValue {
  return Deno.UnsafePointer.of(buffer as BigUint64Array<ArrayBuffer>);
}
