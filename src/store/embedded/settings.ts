/** @module The settings of the embedded server. */
import { giveTo, type Place } from "./place.ts";

/** Differences from the product's settings; the tests' server sets them. */
export type Settings = Readonly<Record<string, string | number | boolean>>;

/**
 * The product's settings: small, and durable without exception. `postgresql.user.conf` beside the
 * file is read after them.
 */
export function settingsText(place: Place, port: number, major: number, more: Settings): string {
  const settings: Settings = {
    listen_addresses: "127.0.0.1",
    port,
    unix_socket_directories: socketDirOf(place) ?? "",
    unix_socket_permissions: "0700",
    password_encryption: "scram-sha-256",
    max_connections: 50,
    shared_buffers: "32MB",
    work_mem: "4MB",
    maintenance_work_mem: "32MB",
    temp_buffers: "2MB",
    dynamic_shared_memory_type: "posix",
    fsync: true,
    synchronous_commit: true,
    full_page_writes: true,
    wal_level: "minimal",
    max_wal_senders: 0,
    wal_compression: true,
    min_wal_size: "64MB",
    max_wal_size: "512MB",
    checkpoint_timeout: "10min",
    jit: false,
    max_worker_processes: 2,
    max_logical_replication_workers: 0,
    max_parallel_workers: 0,
    max_parallel_workers_per_gather: 0,
    autovacuum_max_workers: 2,
    autovacuum_naptime: "30s",
    autovacuum_vacuum_scale_factor: 0.05,
    autovacuum_analyze_scale_factor: 0.05,
    autovacuum_vacuum_cost_delay: "1ms",
    update_process_title: false,
    timezone: "UTC",
    log_timezone: "UTC",
    lc_messages: "C",
    log_destination: "stderr",
    logging_collector: true,
    log_directory: `${place.dir}/log`,
    log_filename: "postgresql-%a.log",
    log_truncate_on_rotation: true,
    log_rotation_age: "1d",
    log_rotation_size: 0,
    log_line_prefix: "%m [%p] %a ",
    ...(major >= 18 ? { io_method: "sync" } : {}),
    ...more,
  };
  const lines = Object.entries(settings).map(([name, value]) => `${name} = ${literal(value)}`);
  return [
    "# Written by Tidewheel at each start. Put settings of your own into postgresql.user.conf.",
    ...lines,
    "include_if_exists 'postgresql.user.conf'",
    "",
  ].join("\n");
}

/** Write the settings into the cluster. */
export async function configure(
  place: Place,
  dataDir: string,
  { port, major, settings = {} }: { port: number; major: number; settings?: Settings },
): Promise<void> {
  const path = `${dataDir}/postgresql.conf`;
  await Deno.writeTextFile(path, settingsText(place, port, major, settings));
  await giveTo(place.user, path, 0o600);
}

function literal(value: string | number | boolean): string {
  if (typeof value === "boolean") return value ? "on" : "off";
  return typeof value === "number" ? String(value) : `'${value.replaceAll("'", "''")}'`;
}

/** Folder of the server's socket; null: its path would not fit the hundred bytes that it may have. */
export function socketDirOf(place: Place): string | null {
  return place.dir.length > 80 ? null : `${place.dir}/run`;
}
