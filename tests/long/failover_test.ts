/**
 * @module An hour of SIGKILL; `TIDEWHEEL_FAILOVER_MINUTES` for another time, `TIDEWHEEL_FAILOVER_SEED`
 * for other dice.
 */
import { systemRandom } from "../../src/base/random.ts";
import { failover } from "../support/failover.ts";

const minutes = Number(Deno.env.get("TIDEWHEEL_FAILOVER_MINUTES") ?? 60);
const seed = Number(
  Deno.env.get("TIDEWHEEL_FAILOVER_SEED") ?? Math.floor(systemRandom.next() * 1e6),
);

Deno.test(`${minutes} minutes of SIGKILL at random: nothing is lost, nothing twice`, async () => {
  await failover({ seed, forMs: minutes * 60_000 });
});
