/** @module The sandbox behind a port: `tidewheel sandbox`. */
import { systemClock } from "../base/clock.ts";
import { createSandbox, type Sandbox, type SandboxOptions } from "./sandbox.ts";

/** The port that docs and the shipped connections use. */
export const sandboxPort = 9010;

/** A running sandbox. */
export interface SandboxServer extends AsyncDisposable {
  sandbox: Sandbox;
  /** `http://127.0.0.1:9010` */
  url: string;
  port: number;
  stop(): Promise<void>;
}

/** How it is started. */
export interface StartSandbox extends Partial<SandboxOptions> {
  /** {@link sandboxPort}; 0: any free one. */
  port?: number;
  /** `127.0.0.1`: only this machine can reach it. */
  hostname?: string;
}

/** Serve a sandbox; resolves once it accepts connections. Throws AddrInUse when the port is taken. */
export async function startSandbox(
  { port = sandboxPort, hostname = "127.0.0.1", clock = systemClock, ...rest }: StartSandbox = {},
): Promise<SandboxServer> {
  const sandbox = createSandbox({ clock, ...rest });
  const stopping = new AbortController();
  const listening = Promise.withResolvers<Deno.NetAddr>();
  const server = Deno.serve({
    port,
    hostname,
    signal: stopping.signal,
    onListen: (address) => listening.resolve(address as Deno.NetAddr),
    onError: () => new Response("Internal Server Error\n", { status: 500 }),
  }, (request) => sandbox.handle(request));
  const address = await listening.promise;
  const host = address.hostname.includes(":") ? `[${address.hostname}]` : address.hostname;
  const stop = async () => {
    stopping.abort();
    await server.finished;
  };
  return {
    sandbox,
    url: `http://${host}:${address.port}`,
    port: address.port,
    stop,
    [Symbol.asyncDispose]: stop,
  };
}
