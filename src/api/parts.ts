/** @module What the API is made of. */
import type { Clock } from "../base/clock.ts";
import type { Ids } from "../base/ids.ts";
import type { Logger } from "../base/log.ts";
import type { Random } from "../base/random.ts";
import type { Service } from "../base/service.ts";
import type { EngineResult } from "../contract/child.ts";
import type { AttemptLogs } from "../logs/port.ts";
import type { Metrics } from "../metrics/registry.ts";
import type { Tracer } from "../metrics/trace.ts";
import type { ObjectStore } from "../objects/port.ts";
import type { Sql } from "../store/database.ts";
import type { HandOver } from "../store/hand_over.ts";
import type { HintBus } from "../store/hints.ts";
import type { EngineStore } from "../store/port.ts";
import type { SecretBox } from "../store/secrets.ts";

/** What the API goes by. */
export interface ApiSettings {
  /** Version of the product. */
  version: string;
  gitVersion?: string | null;
  /** Container image of the product, where it is known. */
  image?: string | null;
  /**
   * Signs tokens of attempts and workers; all API processes share it. At least 16 characters. Of
   * several the first signs, and tokens under any of them are good.
   */
  tokenKey: string | readonly string[];
  /** Host names that requests may be for, beside loopback ones; `*`: any. */
  allowedHosts: readonly string[];
  allowedOrigins: readonly string[];
  /** Check answers against their shapes: for tests. Default false. */
  checkAnswers?: boolean;
}

/** Runs SQL over stored files for people who look at data: an engine process with a limit. */
export interface TableReader {
  /**
   * Run `sql` (DuckDB's dialect) in which `$file1`, `$file2`… stand for the objects' paths as quoted
   * text; at most `rowsMax` rows.
   */
  read(
    request: { keys: readonly string[]; sql: string; params?: unknown[]; rowsMax: number },
  ): Promise<EngineResult>;
}

/** What {@link createApi} needs. */
export interface ApiParts {
  store: EngineStore;
  sql: Sql;
  hints: HintBus;
  /** Where claims wait for what a scheduler in this process starts; none when left out. */
  handOver?: HandOver;
  objects: ObjectStore;
  logs: AttemptLogs;
  secrets: SecretBox;
  clock: Clock;
  ids: Ids;
  random: Random;
  log: Logger;
  metrics: Metrics;
  tracer: Tracer;
  settings: ApiSettings;
  /** Null: samples of rows and lineage of cells are not offered. */
  tables: TableReader | null;
  /** Services of this process, for its health routes. */
  services: readonly Service[];
}
