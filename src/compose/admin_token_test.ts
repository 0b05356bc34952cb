import { assertEquals, assertNotEquals } from "@std/assert";
import { testDatabase } from "../../tests/support/database.ts";
import { VirtualClock } from "../base/clock.ts";
import { seededIds } from "../base/ids.ts";
import { silentLogger } from "../base/log.ts";
import { seededRandom } from "../base/random.ts";
import { readSettings } from "../settings.ts";
import { findToken, revokeToken } from "../store/api_token.ts";
import { ensureAdminToken } from "./admin_token.ts";
import { openHome } from "./home.ts";

Deno.test("ensureAdminToken() makes the token once, and anew when it was revoked", async () => {
  await using db = await testDatabase();
  const dir = await Deno.makeTempDir({ prefix: "tidewheel-home-" });
  try {
    const home = await openHome(readSettings({ env: { TIDEWHEEL_HOME: dir } }));
    const clock = new VirtualClock();
    const parts = {
      ...{ sql: db.sql, clock, home, log: silentLogger },
      ids: seededIds(clock, seededRandom(1)),
    };
    const ensured = async () => {
      await ensureAdminToken(parts);
      const token = (await Deno.readTextFile(home.token)).trim();
      return { token, row: await findToken(db.sql, { token, now: clock.now() }) };
    };

    const first = await ensured();
    assertEquals([first.row?.role, (await ensured()).token], ["admin", first.token]);
    await revokeToken(db.sql, { id: first.row!.id, now: clock.now() });
    const second = await ensured();
    assertNotEquals(second.token, first.token);
    assertEquals(second.row?.role, "admin");
    assertEquals((await Deno.stat(home.token)).mode! & 0o777, 0o600);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
});
