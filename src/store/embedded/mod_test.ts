import { assert, assertEquals, assertNotEquals, assertRejects } from "@std/assert";
import { systemClock } from "../../base/clock.ts";
import { silentLogger } from "../../base/log.ts";
import { AppError } from "../../model/errors.ts";
import { connect, openDatabase } from "../database.ts";
import { runningUrl, startEmbedded } from "./mod.ts";
import { isServing } from "./postmaster.ts";

/** A home that everyone can reach, and one that only we can. */
async function tempHome(mode: number) {
  const home = await Deno.makeTempDir({ prefix: "tidewheel-embedded-" });
  await Deno.chmod(home, mode);
  return { home, [Symbol.asyncDispose]: () => Deno.remove(home, { recursive: true }) };
}

async function waitFor(condition: () => boolean): Promise<void> {
  const deadlineMs = systemClock.monotonicMs() + 20_000;
  while (!condition()) {
    assert(systemClock.monotonicMs() < deadlineMs, "did not happen within 20 s");
    await systemClock.sleep(10);
  }
}

Deno.test("startEmbedded() serves, survives crashes of either side, and loses nothing", async (t) => {
  await using temp = await tempHome(0o755);
  const { home } = temp;
  // Also without a user "postgres": that is the harder case.
  const place = { passwd: "root:x:0:0::/:/bin/sh\nnobody:x:65534:65534::/:/bin/false" };
  const start = () => startEmbedded({ home, place });
  let url = "";

  await t.step("makes a database that is durable and closed to others", async () => {
    const embedded = await start();
    url = embedded.url;
    const sql = await openDatabase(url);
    for (const name of ["fsync", "synchronous_commit", "full_page_writes"]) {
      const [row] = await sql`select current_setting(${name}) as value`;
      assertEquals(row.value, "on");
    }
    const [{ encoding }] = await sql`select current_setting('server_encoding') as encoding`;
    assertEquals(encoding, "UTF8");
    await sql`create table kept (n int)`;
    await sql.end();
    const wrong = new URL(url);
    wrong.password = "wrong";
    await assertRejects(() => openDatabase(wrong.href), AppError, "refused the password");
    assertEquals((await Deno.stat(`${home}/postgres/cluster.json`)).mode! & 0o777, 0o600);
    assertEquals((await Deno.stat(`${home}/postgres/data-18`)).mode! & 0o777, 0o700);

    assertEquals(await runningUrl(home), url);
    const error = await assertRejects(start, AppError, `process ${Deno.pid} holds it`);
    assertEquals(error.code, "CONFLICT");
    await embedded.service.stop();
    await embedded.service.stop();
    assertEquals(embedded.service.health().ready, false);
    assertEquals(await runningUrl(home), null);
    assertEquals(await runningUrl(`${home}/none`), null);
    await assertRejects(() => openDatabase(url), AppError, "there is no such socket");
  });

  await t.step("starts again by itself, at the same URL, when the server is killed", async () => {
    const { service } = await start();
    const sql = connect(url, { max: 1 });
    await sql`insert into kept values (1)`;
    const pid = service.pid!;

    Deno.kill(pid, "SIGKILL");
    await waitFor(() => service.pid !== null && service.pid !== pid);

    await sql.end();
    const again = await openDatabase(url);
    assertEquals((await again`select n from kept`).length, 1);
    assertEquals(service.health().detail?.restarts, 1);
    await again.end();
    await service.stop();
  });

  await t.step("takes over from a process that was killed", async () => {
    const orphan = await leaveOrphan(home, place.passwd);
    assert(await isServing(`${home}/postgres/data-18`));

    const { service } = await start();

    assertNotEquals(service.pid, orphan);
    const sql = await openDatabase(url);
    assertEquals((await sql`select n from kept`).length, 1);
    await sql.end();
    await service.stop();
  });

  await t.step("starts while helpers of a killed server are still going", async () => {
    const orphan = await leaveOrphan(home, place.passwd);
    Deno.kill(orphan, "SIGKILL");

    const { service } = await start();

    const sql = await openDatabase(url);
    assertEquals((await sql`select n from kept`).length, 1);
    await sql.end();
    await service.stop();
  });

  await t.step("starts although another process has the number of its last one", async () => {
    await Deno.writeTextFile(
      `${home}/postgres/data-18/postmaster.pid`,
      `${Deno.pid}\n${home}/postgres/data-18\n0\n1\n\n\n0 0\nready\n`,
    );

    const { service } = await start();
    await service.stop();
  });

  await t.step("sets a new password where cluster.json was lost", async () => {
    await Deno.remove(`${home}/postgres/cluster.json`);

    const embedded = await start();

    assertNotEquals(new URL(embedded.url).password, new URL(url).password);
    const sql = await openDatabase(embedded.url);
    assertEquals((await sql`select n from kept`).length, 1);
    await sql.end();
    await embedded.service.stop();
  });
});

Deno.test({
  name: "startEmbedded() as root lives where the server's user can reach it",
  // Only root runs the server as another user.
  ignore: Deno.uid() !== 0,
  async fn() {
    await using temp = await tempHome(0o700);
    await using system = await tempHome(0o755);
    const { home } = temp;
    const place = { systemDir: system.home };

    const first = await startEmbedded({ home, place, log: silentLogger });
    await first.service.stop();
    const second = await startEmbedded({ home, place });
    await second.service.stop();

    const dir = (await Deno.readTextFile(`${home}/postgres.path`)).trim();
    assert(dir.startsWith(`${system.home}/`));
    assertEquals(first.url, second.url);
    assertNotEquals((await Deno.stat(`${dir}/data-18`)).uid, 0);
    assertEquals((await Deno.stat(dir)).mode! & 0o777, 0o711);
  },
});

/** Start the server in another Deno, kill that one, and return the pid of the server it left. */
async function leaveOrphan(home: string, passwd: string): Promise<number> {
  const code = `
    import { runningUrl, startEmbedded } from ${JSON.stringify(import.meta.resolve("./mod.ts"))};
    await startEmbedded(${JSON.stringify({ home, place: { passwd } })});
    Deno.kill(Deno.pid, "SIGKILL");`;
  const config = new URL("../../../deno.json", import.meta.url).pathname;
  const { signal } = await new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "-A",
      "--quiet",
      `--config=${config}`,
      `data:text/javascript,${encodeURIComponent(code)}`,
    ],
    stdout: "null",
  }).output();
  assertEquals(signal, "SIGKILL");
  return Number(
    (await Deno.readTextFile(`${home}/postgres/data-18/postmaster.pid`)).split("\n")[0],
  );
}
