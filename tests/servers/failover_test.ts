/** @module Two minutes of SIGKILL; `TIDEWHEEL_FAILOVER_SEED` replays it. An hour is in tests/long. */
import { failover } from "../support/failover.ts";

const seed = Number(Deno.env.get("TIDEWHEEL_FAILOVER_SEED") ?? 1);

Deno.test("SIGKILL at random under load: nothing is lost, nothing twice, a standby leads", async () => {
  await failover({ seed, forMs: 120_000 });
});
