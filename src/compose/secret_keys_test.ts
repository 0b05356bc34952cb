import { assertEquals, assertThrows } from "@std/assert";
import { tokenMint } from "../api/attempt_token.ts";
import { AppError } from "../model/errors.ts";
import { tokenKeysOf, workerToken } from "./secret_keys.ts";

Deno.test("tokenKeysOf() keeps tokens good while their key is among the master keys", async () => {
  const home = await Deno.makeTempDir({ prefix: "tidewheel-home-" });
  try {
    const keysOf = (secretKey: string | null) => tokenKeysOf({ secretKey }, home);
    await Deno.writeTextFile(`${home}/secret.key`, "new\nold\n");
    const token = workerToken(await keysOf("old"), ["merger"]);

    assertEquals(tokenMint(await keysOf("new,old")).readWorker(token), ["merger"]);
    assertEquals(tokenMint(await keysOf(null)).readWorker(token), ["merger"]);
    const newer = workerToken(await keysOf(" new , old"), ["merger"]);
    assertEquals(tokenMint(await keysOf("new")).readWorker(newer), ["merger"]);
    const onlyNew = tokenMint(await keysOf("new"));
    assertThrows(() => onlyNew.readWorker(token), AppError, "not by a key of this service");
  } finally {
    await Deno.remove(home, { recursive: true });
  }
});
