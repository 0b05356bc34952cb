/** @module The sandbox: real figures in vendors' shapes and with their manners, over HTTP. */
export { createSandbox, vendors } from "./sandbox.ts";
export type { Sandbox, SandboxOptions, SeenRequest } from "./sandbox.ts";
export { sandboxPort, startSandbox } from "./server.ts";
export type { SandboxServer, StartSandbox } from "./server.ts";
export { sandboxConnections } from "./connections.ts";
export type { SandboxConnection } from "./connections.ts";
export type { Fault, FaultRule } from "./faults.ts";
export { defaultKeys } from "./keys.ts";
export type { Quota } from "./keys.ts";

/** The file that a desk might drop for the run of 2013-03-01; see data/README.md. */
export const deskDropUrl: URL = new URL("./data/desk_bars_2013-03-01.csv", import.meta.url);
