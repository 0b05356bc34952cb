/** @module Checksums that servers send along, and the running ones that they are compared with. */
import { createHash, type Hash } from "node:crypto";

const algorithms = {
  "md5": "md5",
  "sha": "sha1",
  "sha-256": "sha256",
  "sha-512": "sha512",
} as const;
type Algorithm = (typeof algorithms)[keyof typeof algorithms];

/** A digest that the whole body must have. */
export interface ExpectedDigest {
  header: string;
  algorithm: Algorithm;
  base64: string;
}

/** Digests of the body in the headers of an answer with status 200; unknown algorithms are left. */
export function expectedDigests(headers: Headers): ExpectedDigest[] {
  const found: ExpectedDigest[] = [];
  const md5 = headers.get("content-md5");
  if (md5) found.push({ header: "Content-MD5", algorithm: "md5", base64: md5.trim() });
  for (const header of ["Digest", "Repr-Digest", "Content-Digest"]) {
    for (const item of (headers.get(header) ?? "").split(",")) {
      const [, name, base64] = /^\s*([A-Za-z0-9-]+)=:?([A-Za-z0-9+/_=-]+?):?\s*$/.exec(item) ?? [];
      const algorithm = algorithms[name?.toLowerCase() as keyof typeof algorithms];
      if (algorithm) found.push({ header, algorithm, base64 });
    }
  }
  return found;
}

/** Hashes a body as it arrives: SHA-256 always, and what {@link ExpectedDigest}s need. */
export class RunningDigest {
  readonly #hashes = new Map<Algorithm, Hash>();

  constructor(expected: readonly ExpectedDigest[]) {
    for (const algorithm of new Set<Algorithm>(["sha256", ...expected.map((e) => e.algorithm)])) {
      this.#hashes.set(algorithm, createHash(algorithm));
    }
  }

  /** Add the next bytes. */
  update(chunk: Uint8Array): void {
    for (const hash of this.#hashes.values()) hash.update(chunk);
  }

  /** SHA-256 in hex, and the expectations that the bytes do not meet. Ends the hashing. */
  finish(expected: readonly ExpectedDigest[]): { sha256: string; missed: ExpectedDigest[] } {
    const digests = new Map(
      [...this.#hashes].map(([algorithm, hash]) => [algorithm, hash.digest()] as const),
    );
    return {
      sha256: digests.get("sha256")!.toString("hex"),
      missed: expected.filter(({ algorithm, base64 }) =>
        bytesOf(base64) !== digests.get(algorithm)!.toString("base64")
      ),
    };
  }
}

/** Base64 without regard to its alphabet and padding. */
function bytesOf(base64: string): string {
  const plain = base64.replaceAll("-", "+").replaceAll("_", "/").replace(/=+$/, "");
  return plain + "=".repeat((4 - plain.length % 4) % 4);
}
