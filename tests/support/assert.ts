/** @module The door to Deno's assertions (`npm:deno-std` ships them without types). */
// @ts-types="./std_assert.d.ts"
export * from "npm:/deno-std@1.4.0/assert/mod.js";
