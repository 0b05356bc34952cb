/** @module The API's door. */
export { type Api, createApi } from "./app.ts";
export { tokenMint } from "./attempt_token.ts";
export { createExecution, type Execution, type ExecutionLookups } from "./execution/execution.ts";
export { versionCache } from "./execution/versions.ts";
export type { ApiParts, ApiSettings, TableReader } from "./parts.ts";
export { healthApp } from "./role_app.ts";
