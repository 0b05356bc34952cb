/** @module Where an attempt's log lies: by the day of its UUIDv7, so that retention is a prefix. */

/** Key in object storage and path below the local log folder: `20300101/<attempt>.ndjson`. */
export function logKey(attemptId: string): string {
  const atMs = Number.parseInt(attemptId.slice(0, 8) + attemptId.slice(9, 13), 16);
  const day = new Date(atMs).toISOString().slice(0, 10).replaceAll("-", "");
  return `${day}/${attemptId}.ndjson`;
}
