import { assertEquals, assertRejects } from "@std/assert";
import { VirtualClock } from "../../base/clock.ts";
import { silentLogger } from "../../base/log.ts";
import type { Postmaster } from "./postmaster.ts";
import { PostgresService } from "./supervisor.ts";

/** A server that ends when told. */
function fakeServer(pid: number) {
  const { promise: ended, resolve: end } = Promise.withResolvers<
    { code: number; signal: string | null }
  >();
  const stop = () => Promise.resolve(end({ code: 0, signal: null }));
  const server: Postmaster = { pid, ended, stop };
  return { server, kill: () => end({ code: 137, signal: "SIGKILL" }) };
}

/** Runs the microtasks that are due. */
async function settle() {
  for (let i = 0; i < 20; i++) await Promise.resolve();
}

function setUp(outcomes: ("ok" | "fail")[]) {
  const clock = new VirtualClock();
  const servers: ReturnType<typeof fakeServer>[] = [];
  let released = 0;
  const service = new PostgresService({
    launch() {
      if (outcomes.shift() === "fail") return Promise.reject(new Error("no"));
      servers.push(fakeServer(servers.length + 1));
      return Promise.resolve(servers.at(-1)!.server);
    },
    release: () => Promise.resolve(void released++),
    clock,
    log: silentLogger,
  });
  return { clock, servers, service, released: () => released };
}

Deno.test("PostgresService waits longer between starts that fail, and says what is wrong", async () => {
  const { clock, servers, service } = setUp(["ok", "fail", "fail", "ok"]);
  await service.start();
  const startMs = clock.monotonicMs();

  servers[0].kill();
  await settle();
  assertEquals(service.health().ready, false);
  for (const waitMs of [0, 100, 250]) {
    clock.advance(waitMs);
    await settle();
  }

  assertEquals([service.pid, clock.monotonicMs() - startMs], [2, 350]);
  assertEquals(service.health().detail, { pid: 2, restarts: 1 });
  await service.stop();
});

Deno.test("PostgresService slows down when servers do not last", async () => {
  const { clock, servers, service } = setUp([]);
  await service.start();
  const waits: number[] = [];
  for (let i = 0; i < 4; i++) {
    if (i === 3) clock.advance(60_000);
    servers.at(-1)!.kill();
    await settle();
    const due = clock.nextWakeAt();
    waits.push(due ? due.getTime() - clock.now().getTime() : 0);
    clock.advanceTo(due ?? clock.now());
    await settle();
  }

  assertEquals(waits, [0, 100, 250, 0]);
  await service.stop();
});

Deno.test("PostgresService.start() gives up after some tries", async () => {
  const { clock, service } = setUp(["fail", "fail", "fail", "fail", "fail"]);

  const started = assertRejects(() => service.start(), Error, "no");
  for (let i = 0; i < 5; i++) {
    await settle();
    clock.advance(5_000);
  }

  await started;
});

Deno.test("PostgresService.stop() releases once, also while it waits to start again", async () => {
  const { servers, service, released } = setUp(["ok", "fail", "fail"]);
  await service.start();
  servers[0].kill();
  await settle();

  await service.stop();
  await service.stop();

  assertEquals([released(), service.pid], [1, null]);
});
