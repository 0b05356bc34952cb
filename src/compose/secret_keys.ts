/** @module What follows from the master keys: the keys of tokens, and which key secrets are under. */
import { tokenMint } from "../api/attempt_token.ts";
import { sha256 } from "../base/hash.ts";
import type { Settings } from "../settings.ts";
import { rewrapSecrets } from "../store/rewrap.ts";
import { readMasterKeys } from "../store/secrets.ts";
import type { DatabaseParts } from "./parts.ts";

/**
 * The keys of tokens of attempts and workers, derived from the master keys, so that roles need not
 * share files. The first signs; tokens under an older one are good until that key is dropped.
 */
export async function tokenKeysOf(
  { secretKey }: Pick<Settings, "secretKey">,
  home: string,
): Promise<string[]> {
  const keys = await readMasterKeys({ home, secretKey });
  return keys.map((key) => sha256(`tidewheel tokens\n${key}`));
}

/** A token with which workers of these queues may claim; `*`: all. */
export function workerToken(tokenKeys: readonly string[], queues: readonly string[]): string {
  return tokenMint(tokenKeys).worker(queues);
}

/** Bring all stored secrets under the newest master key, and say which keys are needed no more. */
export async function rewrapStored(
  { sql, secrets: box, log }: Pick<DatabaseParts, "sql" | "secrets" | "log">,
): Promise<void> {
  const { connections, variables, unreadable } = await rewrapSecrets(sql, { box });
  const older = box.olderKeyIds;
  if (connections + variables > 0) {
    log.info("Brought stored secrets under the newest master key", {
      ...{ connections, variables },
      keyId: box.keyId,
    });
  }
  if (older.length > 0) {
    log.info("No stored secret needs the older master keys; tokens of running attempts may", {
      olderKeyIds: older,
    });
  }
  for (const { keyId, rows } of unreadable) {
    log.warn("Stored secrets cannot be opened: their master key is not among those given", {
      ...{ keyId, rows },
      givenKeyIds: [box.keyId, ...older],
    });
  }
}
