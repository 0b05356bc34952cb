import { assert, assertEquals } from "@std/assert";
import { deadline, systemClock } from "../../src/base/clock.ts";
import { randomToken } from "../../src/base/ids.ts";
import { hasCode } from "../../src/model/errors.ts";
import { openObjectStore } from "../../src/objects/open.ts";
import type { ObjectStore } from "../../src/objects/port.ts";
import { testObjectStore } from "../conformance/object_store.ts";

const VERSITYGW = "github.com/versity/versitygw/cmd/versitygw@v1.8.0";
const START_MS = 10_000;

interface Gateway extends AsyncDisposable {
  /** A store in an empty bucket. */
  store: ObjectStore;
  url: string;
}

/** The program: as named by TIDEWHEEL_VERSITYGW, on the PATH, or built once by Go. */
async function findGateway(): Promise<string> {
  const named = Deno.env.get("TIDEWHEEL_VERSITYGW");
  if (named) return named;
  const onPath = await new Deno.Command("sh", { args: ["-c", "command -v versitygw"] }).output();
  const path = new TextDecoder().decode(onPath.stdout).trim();
  if (path) return path;
  const { stdout } = await new Deno.Command("go", { args: ["env", "GOPATH"] }).output();
  const built = `${new TextDecoder().decode(stdout).trim()}/bin/versitygw`;
  if (await Deno.stat(built).catch(() => null)) return built;
  const build = await new Deno.Command("go", { args: ["install", VERSITYGW] }).output();
  assert(build.success, `go install ${VERSITYGW}: ${new TextDecoder().decode(build.stderr)}`);
  return built;
}

async function startGateway(): Promise<Gateway> {
  const program = await findGateway();
  const dir = await Deno.makeTempDir({ prefix: "tw_s3_" });
  await Deno.mkdir(`${dir}/data/bucket`, { recursive: true });
  const port = freePort();
  const access = { AWS_ACCESS_KEY_ID: "tidewheel", AWS_SECRET_ACCESS_KEY: randomToken() };
  for (const [name, value] of Object.entries(access)) Deno.env.set(name, value);
  const process = new Deno.Command(program, {
    args: ["--port", `127.0.0.1:${port}`, "--quiet", "posix", `${dir}/data`],
    env: {
      ROOT_ACCESS_KEY: access.AWS_ACCESS_KEY_ID,
      ROOT_SECRET_KEY: access.AWS_SECRET_ACCESS_KEY,
    },
    stdout: "null",
    stderr: "null",
  }).spawn();
  await untilOpen(port);
  const url = `s3://bucket/a/prefix?endpoint=http://127.0.0.1:${port}&region=us-east-1`;
  return {
    url,
    store: openObjectStore(url),
    async [Symbol.asyncDispose]() {
      process.kill("SIGTERM");
      await process.status;
      await Deno.remove(dir, { recursive: true });
    },
  };
}

function freePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return listener.addr.port;
}

async function untilOpen(port: number): Promise<void> {
  using limit = deadline(START_MS);
  for (;;) {
    try {
      (await Deno.connect({ hostname: "127.0.0.1", port })).close();
      return;
    } catch (error) {
      if (limit.aborted) throw error;
      await systemClock.sleep(20);
    }
  }
}

testObjectStore("s3ObjectStore()", startGateway);

Deno.test("s3ObjectStore() puts a large file in parts, once", async () => {
  await using at = await startGateway();
  const dir = await Deno.makeTempDir({ prefix: "tw_s3_" });
  const data = new Uint8Array(40 * 1024 * 1024 + 7).map((_, i) => i % 251);
  await Deno.writeFile(`${dir}/large`, data);
  await at.store.putFile("large", `${dir}/large`);
  await at.store.putFile("large", `${dir}/large`);

  assertEquals((await at.store.stat("large"))!.bytes, data.length);
  const copy = await Deno.readFile(await at.store.materialize("large", `${dir}/cache`));
  assertEquals(copy.length, data.length);
  assert(copy.every((byte, i) => byte === i % 251));

  data[data.length - 1] ^= 1;
  await Deno.writeFile(`${dir}/large`, data);
  const refused = await at.store.putFile("large", `${dir}/large`).catch((error) => error);
  assert(hasCode(refused, "CONFLICT"), String(refused));
  await Deno.remove(dir, { recursive: true });
});

Deno.test("s3ObjectStore() says UNAVAILABLE for a bucket that is not there", async () => {
  await using at = await startGateway();
  const store = openObjectStore(at.url.replace("//bucket", "//other"));

  const error = await store.get("k").catch((error) => error);
  assert(hasCode(error, "UNAVAILABLE"), String(error));
  assert(error.message.includes("NoSuchBucket"), error.message);
});
