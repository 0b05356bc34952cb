/** @module The port that a role listens on. */
import { AppError } from "../model/errors.ts";
import type { Settings } from "../settings.ts";

/** A listening server. */
export interface HttpServer {
  url: string;
  stop(): Promise<void>;
}

/** Serve `handle`; throws CONFLICT when the port is taken. */
export function serve(
  { host, port }: Pick<Settings, "host" | "port">,
  handle: (request: Request) => Response | Promise<Response>,
): HttpServer {
  const server = listen(host, port, handle);
  const { hostname, port: actual } = server.addr as Deno.NetAddr;
  const shown = hostname === "0.0.0.0" || hostname === "::" ? "127.0.0.1" : hostname;
  return {
    url: `http://${shown.includes(":") ? `[${shown}]` : shown}:${actual}`,
    stop: () => server.shutdown(),
  };
}

function listen(
  hostname: string,
  port: number,
  handle: (request: Request) => Response | Promise<Response>,
) {
  try {
    return Deno.serve({ hostname, port, onListen() {} }, handle);
  } catch (error) {
    if (!(error instanceof Deno.errors.AddrInUse)) throw error;
    throw new AppError(
      "CONFLICT",
      `Cannot listen on ${hostname}:${port}: another program does; stop it or set TIDEWHEEL_PORT`,
    );
  }
}
