/**
 * @module The door to encryption of stored secrets: AES-256-GCM with envelope keys.
 *
 * Each value has a data key of its own, which a master key wraps. The name of the row is part of what
 * is authenticated, so a sealed value does not open in another row. See
 * docs/decisions/0003-sealed-secrets.md.
 */
import { Buffer } from "node:buffer";
import { createCipheriv, createDecipheriv, randomBytes } from "node:crypto";
import { sha256 } from "../base/hash.ts";
import { AppError } from "../model/errors.ts";

/** A sealed value as three columns hold it. */
export interface Sealed {
  /** Which master key wrapped it. */
  keyId: string;
  wrappedKey: Uint8Array;
  sealed: Uint8Array;
}

/** Seals and opens values. */
export interface SecretBox {
  /** Id of the key that seals. */
  readonly keyId: string;
  /** Ids of the keys that only open. */
  readonly olderKeyIds: readonly string[];
  /** `owner` names the row, e.g. `connection:alpha_vantage`. */
  seal(owner: string, value: unknown): Sealed;
  /**
   * Throws UNAVAILABLE when none of the master keys wrapped it, CORRUPT when it was tampered with
   * or belongs to another row.
   */
  open(owner: string, sealed: Sealed): unknown;
  /** The same value under the newest master key, or null where it is already. */
  rewrap(owner: string, sealed: Sealed): Sealed | null;
}

const keyBytes = 32;
const nonceBytes = 12;
const tagBytes = 16;

/** A box over master keys, each 32 bytes as base64. The first seals; the others only open. */
export function secretBox(masterKeys: readonly string[]): SecretBox {
  const keys = masterKeys.map(readKey);
  const newest = keys[0];
  if (!newest) throw new AppError("INVALID", "Cannot seal secrets: there is no master key");
  const find = (keyId: string, owner: string) => {
    const found = keys.find((key) => key.id === keyId);
    if (found) return found.bytes;
    throw new AppError(
      "UNAVAILABLE",
      `Cannot open the secret of ${owner}: it was sealed with master key ${keyId}, which is not ` +
        `among those given (${keys.map((key) => key.id).join(", ")}); restore secret.key or add ` +
        "the key to TIDEWHEEL_SECRET_KEY",
    );
  };
  return {
    keyId: newest.id,
    olderKeyIds: keys.slice(1).map((key) => key.id),
    seal(owner, value) {
      const dataKey = randomBytes(keyBytes);
      return {
        keyId: newest.id,
        wrappedKey: encrypt(newest.bytes, owner, dataKey),
        sealed: encrypt(dataKey, owner, new TextEncoder().encode(JSON.stringify(value))),
      };
    },
    open(owner, { keyId, wrappedKey, sealed }) {
      const dataKey = decrypt(find(keyId, owner), owner, wrappedKey);
      return JSON.parse(new TextDecoder().decode(decrypt(dataKey, owner, sealed)));
    },
    rewrap(owner, { keyId, wrappedKey, sealed }) {
      if (keyId === newest.id) return null;
      const dataKey = decrypt(find(keyId, owner), owner, wrappedKey);
      return { keyId: newest.id, wrappedKey: encrypt(newest.bytes, owner, dataKey), sealed };
    },
  };
}

/**
 * The box of an installation: keys of `TIDEWHEEL_SECRET_KEY` (several with commas, the newest
 * first), else of `<home>/secret.key`, which is made where it is missing.
 */
export async function openSecretBox(
  { home, secretKey }: { home: string; secretKey?: string | null },
): Promise<SecretBox> {
  if (!secretKey) {
    await Deno.mkdir(home, { recursive: true });
    const path = keyFile(home);
    if (!await Deno.stat(path).then(() => true, () => false)) await makeKeyFile(path);
  }
  return secretBox(await readMasterKeys({ home, secretKey }));
}

/**
 * The master keys of an installation, the newest first: `secretKey` with commas between them, else
 * the lines of `<home>/secret.key`. Throws NotFound where neither is there.
 */
export async function readMasterKeys(
  { home, secretKey }: { home: string; secretKey?: string | null },
): Promise<string[]> {
  const text = secretKey || await Deno.readTextFile(keyFile(home));
  const keys = text.split(/[,\s]+/).filter((key) => key !== "");
  return keys.length > 0 ? keys : [""];
}

const keyFile = (home: string) => `${home}/secret.key`;

/** Written beside and linked into place: a reader sees a whole key, and the first maker wins. */
async function makeKeyFile(path: string): Promise<void> {
  const fresh = `${path}.${randomBytes(6).toString("hex")}`;
  await Deno.writeTextFile(fresh, `${randomBytes(keyBytes).toString("base64")}\n`, {
    mode: 0o600,
    createNew: true,
  });
  try {
    await Deno.link(fresh, path);
  } catch (error) {
    if (!(error instanceof Deno.errors.AlreadyExists)) throw error;
  } finally {
    await Deno.remove(fresh);
  }
}

function readKey(text: string): { id: string; bytes: Uint8Array } {
  let bytes: Uint8Array;
  try {
    bytes = Uint8Array.fromBase64(text);
  } catch {
    bytes = new Uint8Array();
  }
  if (bytes.length !== keyBytes) {
    throw new AppError(
      "INVALID",
      `Cannot use a master key: it must be ${keyBytes} bytes as base64 (openssl rand -base64 ` +
        `${keyBytes}), and it is ${bytes.length} bytes`,
    );
  }
  return { id: sha256(bytes).slice(0, 8), bytes };
}

/** Nonce, ciphertext and tag in one. */
function encrypt(key: Uint8Array, owner: string, plain: Uint8Array): Uint8Array {
  const nonce = randomBytes(nonceBytes);
  const cipher = createCipheriv("aes-256-gcm", key, nonce);
  cipher.setAAD(new TextEncoder().encode(owner));
  const parts = [nonce, cipher.update(plain), cipher.final(), cipher.getAuthTag()];
  return new Uint8Array(Buffer.concat(parts));
}

function decrypt(key: Uint8Array, owner: string, box: Uint8Array): Uint8Array {
  try {
    const decipher = createDecipheriv("aes-256-gcm", key, box.subarray(0, nonceBytes), {
      authTagLength: tagBytes,
    });
    decipher.setAAD(new TextEncoder().encode(owner));
    decipher.setAuthTag(box.subarray(box.length - tagBytes));
    const body = box.subarray(nonceBytes, box.length - tagBytes);
    return Buffer.concat([decipher.update(body), decipher.final()]);
  } catch (error) {
    throw new AppError(
      "CORRUPT",
      `Cannot open the secret of ${owner}: it was changed, or belongs to another row`,
      { cause: error },
    );
  }
}

/** Words in a field's name that make its value one to hide. */
const telling =
  /pass(word|phrase|wd)?|secret|token|(api|access|auth)[_-]?key|private|credential|authorization|cookie/i;
/** Fields of which everything is hidden: who sends a header of its own sends a credential. */
const hidden = /^headers$/i;

/** Does a field or variable of this name hold a secret? */
export function isSecretName(name: string): boolean {
  return telling.test(name);
}

/** A copy with the values of telling names replaced by `***`, at every depth. */
export function redact(value: unknown, name = ""): unknown {
  if (value !== null && value !== "" && isSecretName(name)) return "***";
  if (Array.isArray(value)) return value.map((item) => redact(item));
  if (value === null || typeof value !== "object") return value;
  if (hidden.test(name)) return Object.fromEntries(Object.keys(value).map((key) => [key, "***"]));
  return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, redact(part, key)]));
}

/** What was redacted and given back unchanged is as it was: `***` where `old` has a value keeps it. */
export function unredact(given: unknown, old: unknown): unknown {
  if (given === "***") return old ?? given;
  if (given === null || typeof given !== "object" || Array.isArray(given)) return given;
  const before = (old ?? {}) as Record<string, unknown>;
  return Object.fromEntries(
    Object.entries(given).map(([key, part]) => [key, unredact(part, before[key])]),
  );
}
