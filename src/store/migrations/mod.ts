/** @module Every step of the schema, in order. A new file needs a line here and a new schema.sql. */
import type { Migration } from "../migrate.ts";
import engine from "./0001_engine.sql" with { type: "text" };

/** The steps; a step never changes once it is released. */
export const migrations: readonly Migration[] = [
  { version: 1, name: "0001_engine.sql", text: engine },
];
