/** @module The parser: DAG files in, DAG versions and import errors out. */
export { parserService } from "./service.ts";
export type { ParserOptions, ParserService, PassReport } from "./service.ts";
export { parseFile } from "./parse_one.ts";
export type { ParseFileOptions } from "./parse_one.ts";
export type { ParsedFile } from "./parsed_file.ts";
export { codeFrame } from "./import_error.ts";
export { type MemoryDag, memoryParserStore } from "./memory_store.ts";
