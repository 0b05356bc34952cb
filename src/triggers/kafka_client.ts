/** @module As much of the Kafka client as is used, loaded when a DAG first listens to a topic. */
import type { ConnectionSecret } from "../contract/execution.ts";
import { AppError } from "../model/errors.ts";

/** A message as it comes. */
export interface KafkaMessage {
  topic: string;
  partition: number;
  offset: bigint;
  leaderEpoch: number;
  key: Uint8Array | null | undefined;
  value: Uint8Array | null | undefined;
  headerEntries: [Uint8Array, Uint8Array][];
}

/** Where a group stands in a partition. */
export interface KafkaOffset {
  topic: string;
  partition: number;
  offset: bigint;
  leaderEpoch: number;
}

/** Messages as they come, and where it began. */
export interface KafkaStream extends AsyncIterable<KafkaMessage> {
  /** Messages that are here and were not given out yet. */
  readonly readableLength: number;
  /** By `topic:partition`, where it reads on, as far as it is ours. */
  readonly offsetsCommitted: ReadonlyMap<string, bigint>;
  on(event: "offsets", listener: () => void): unknown;
  close(): Promise<void>;
}

/** One member of a group. */
export interface KafkaConsumer {
  consume(options: {
    topics: string[];
    mode: "committed";
    fallbackMode: "earliest" | "latest";
    autocommit: false;
  }): Promise<KafkaStream>;
  commit(options: { offsets: KafkaOffset[] }): Promise<void>;
  close(force: boolean): Promise<void>;
}

interface KafkaModule {
  Consumer: new (options: Record<string, unknown>) => KafkaConsumer;
}

/** A member that is gone makes room for the others after ten seconds. */
const membership = { sessionTimeout: 10_000, heartbeatInterval: 2_000, rebalanceTimeout: 20_000 };

/** Join a group at the brokers of a connection. */
export async function openConsumer(
  connection: ConnectionSecret,
  groupId: string,
): Promise<KafkaConsumer> {
  // Not a literal: a literal import would be fetched with the program, whether used or not.
  const specifier = ["@platformatic", "kafka"].join("/");
  const { Consumer }: KafkaModule = await import(specifier);
  return new Consumer({ ...clientOptions(connection), ...membership, groupId });
}

/** Brokers, encryption and credentials of a connection. */
export function clientOptions(connection: ConnectionSecret): Record<string, unknown> {
  const { connectionId, host, port, login, password, extra } = connection;
  if (!host) {
    throw new AppError(
      "INVALID",
      `Cannot connect to Kafka by the connection "${connectionId}": it has no host; ` +
        `give the brokers, as in "b1.example.com:9092,b2.example.com:9092"`,
    );
  }
  const brokers = host.split(",").map((one) => one.trim())
    .map((one) => (/:\d+$/.test(one) ? one : `${one}:${port ?? 9092}`));
  const mechanism = typeof extra.sasl_mechanism === "string" ? extra.sasl_mechanism : "PLAIN";
  return {
    clientId: "tidewheel",
    bootstrapBrokers: brokers,
    ...(extra.tls === true ? { tls: {} } : {}),
    ...(login ? { sasl: { mechanism, username: login, password: password ?? "" } } : {}),
  };
}
