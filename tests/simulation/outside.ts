/** @module Somebody outside who tells of dataset events. */
import type { EngineStore } from "../../src/store/port.ts";
import { partitions } from "./dag_maker.ts";
import { Link, type LinkWorld, noFaults } from "./link.ts";

/**
 * Tell of events, again and again until there is an answer, or give up. Now and then somebody takes
 * one at once, by hand (`take`), while the scheduler is about to.
 */
export async function tellOfEvents(
  world: LinkWorld,
  observed: EngineStore,
  take: () => Promise<unknown>,
): Promise<void> {
  const { dice, clock } = world;
  const store = new Link(world, observed).view();
  while (world.rates !== noFaults) {
    await clock.sleep(dice.int(200, 4_000));
    const event = {
      dataset: "outside",
      partition: dice.pick(partitions),
      key: dice.chance(0.8) ? `k${dice.int(0, 40)}` : null,
      extra: {},
    };
    for (let tries = 0; tries < 5 && !dice.chance(0.05); tries++) {
      const isSaid = await store.recordEvents([event], clock.now())
        .then(([{ isNew }]) => {
          if (!isNew) world.count("event repeated");
          return true;
        }, () => false);
      // One without a key is another event each time.
      if (isSaid || event.key === null) break;
    }
    if (!dice.chance(0.3)) continue;
    await clock.sleep(dice.int(0, 8));
    await take();
  }
}
