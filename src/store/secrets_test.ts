import { assert, assertEquals, assertNotEquals, assertRejects, assertThrows } from "@std/assert";
import { AppError } from "../model/errors.ts";
import { isSecretName, openSecretBox, redact, type Sealed, secretBox } from "./secrets.ts";

const keyA = new Uint8Array(32).fill(1).toBase64();
const keyB = new Uint8Array(32).fill(2).toBase64();

Deno.test("secretBox() opens what it sealed", () => {
  const box = secretBox([keyA]);
  const value = { password: "hunter2 é", extra: { list: [1, null] } };

  const sealed = box.seal("connection:a", value);

  assertEquals(box.open("connection:a", sealed), value);
  assertEquals(new TextDecoder().decode(sealed.sealed).includes("hunter2"), false);
});

Deno.test("secretBox() seals the same value differently each time", () => {
  const box = secretBox([keyA]);

  assertNotEquals(box.seal("v:a", 1).sealed, box.seal("v:a", 1).sealed);
});

Deno.test("secretBox() refuses any changed byte", () => {
  const box = secretBox([keyA]);
  const sealed = box.seal("v:a", "secret");

  for (const field of ["wrappedKey", "sealed"] as const) {
    for (let i = 0; i < sealed[field].length; i++) {
      const bytes = sealed[field].slice();
      bytes[i] ^= 1;
      const changed: Sealed = { ...sealed, [field]: bytes };
      const error = assertThrows(() => box.open("v:a", changed), AppError, "v:a");
      assertEquals(error.code, "CORRUPT");
    }
    const cut = { ...sealed, [field]: sealed[field].slice(0, 10) };
    assertEquals(assertThrows(() => box.open("v:a", cut), AppError).code, "CORRUPT");
  }
});

Deno.test("secretBox() refuses a value that was moved to another row", () => {
  const box = secretBox([keyA]);

  const error = assertThrows(() => box.open("v:b", box.seal("v:a", 1)), AppError, "another row");

  assertEquals(error.code, "CORRUPT");
});

Deno.test("secretBox() names the master key that is missing", () => {
  const sealed = secretBox([keyA]).seal("v:a", 1);

  const error = assertThrows(() => secretBox([keyB]).open("v:a", sealed), AppError, sealed.keyId);

  assertEquals(error.code, "UNAVAILABLE");
  assertEquals(error.message.includes(keyB), false);
});

Deno.test("secretBox() opens with older keys and wraps again with the newest", () => {
  const sealed = secretBox([keyA]).seal("v:a", "x");
  const both = secretBox([keyB, keyA]);

  assertEquals(both.open("v:a", sealed), "x");
  const again = both.rewrap("v:a", sealed)!;
  assertEquals(secretBox([keyB]).open("v:a", again), "x");
  assertEquals(both.rewrap("v:a", again), null);
});

Deno.test("secretBox() says what a master key must be", () => {
  for (const key of ["short", "not base64 !", new Uint8Array(16).toBase64()]) {
    assertThrows(() => secretBox([key]), AppError, "32 bytes as base64");
  }
});

Deno.test("openSecretBox() makes a key of the home once, for its owner alone", async () => {
  const home = await Deno.makeTempDir();
  try {
    const boxes = await Promise.all([1, 2, 3].map(() => openSecretBox({ home })));

    assertEquals(new Set(boxes.map(({ keyId }) => keyId)).size, 1);
    assertEquals((await Deno.stat(`${home}/secret.key`)).mode! & 0o777, 0o600);
    assertEquals((await openSecretBox({ home, secretKey: keyA })).keyId, secretBox([keyA]).keyId);
    await Deno.writeTextFile(`${home}/secret.key`, "");
    await assertRejects(() => openSecretBox({ home }), AppError, "32 bytes");
  } finally {
    await Deno.remove(home, { recursive: true });
  }
});

Deno.test("redact() hides values of telling names at every depth", () => {
  assertEquals(
    redact({ region: "eu", api_key: "x", auth: { client_secret: "y", list: [{ token: 1 }] } }),
    { region: "eu", api_key: "***", auth: { client_secret: "***", list: [{ token: "***" }] } },
  );
  assertEquals(redact({ password: "" }), { password: "" });
  assertEquals(redact({ headers: { "x-vendor": "k" }, "X-Api-Key": "k" }), {
    headers: { "x-vendor": "***" },
    "X-Api-Key": "***",
  });
  assert(["API_KEY", "apiKey", "passphrase", "Authorization"].every(isSecretName));
  assertEquals(isSecretName("monkey"), false);
});
