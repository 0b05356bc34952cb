/** @module `inspect` and `convert` as people use them in a shell, without a server. */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { systemClock } from "../../src/base/clock.ts";
import { mountSmallDisk, whyNoSmallDisk } from "../support/small_disk.ts";
import { until } from "../support/until.ts";

const main = new URL("../../src/main.ts", import.meta.url).pathname;
const guide = new URL("../../docs/guides/convert.md", import.meta.url);

/** A folder whose commands can call `tidewheel`. */
async function shell() {
  const dir = await Deno.realPath(await Deno.makeTempDir({ prefix: "tw_files_" }));
  await Deno.mkdir(`${dir}/.bin`);
  const program = `#!/bin/sh\nexec "${Deno.execPath()}" run -A --quiet "${main}" "$@"\n`;
  await Deno.writeTextFile(`${dir}/.bin/tidewheel`, program, { mode: 0o755 });
  await Deno.mkdir(`${dir}/work`);
  const cwd = `${dir}/work`;
  const env = { PATH: `${dir}/.bin:${Deno.env.get("PATH")}`, NO_COLOR: "1" };
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  return {
    cwd,
    spawn: (args: string[]) =>
      new Deno.Command(Deno.execPath(), {
        args: ["run", "-A", "--quiet", main, ...args],
        cwd,
        env,
        stdin: "null",
        stdout: "piped",
        stderr: "piped",
      }).spawn(),
    async run(script: string) {
      const { code, stdout, stderr } = await new Deno.Command("bash", {
        args: ["-c", script],
        cwd,
        env,
      }).output();
      return { code, stdout: text(stdout), stderr: text(stderr) };
    },
    [Symbol.asyncDispose]: () => Deno.remove(dir, { recursive: true }),
  };
}

/** `sh` blocks of the guide, each with what it prints and its exit code. */
function examples(text: string) {
  const pattern = /```sh\n(.*?)```(?:\n```text\n(.*?)```)?(?:\nExit code: (\d+)\.)?/gs;
  return [...text.matchAll(pattern)].map(([, script, printed, code]) => ({
    script,
    printed: printed ?? null,
    code: Number(code ?? 0),
  }));
}

Deno.test("the examples of the guide print what it says", async () => {
  await using sh = await shell();
  const found = examples(await Deno.readTextFile(guide));
  assert(found.length >= 4);
  for (const { script, printed, code } of found) {
    const ran = await sh.run(script);
    assertEquals(ran.code, code, `${script}\n${ran.stderr}`);
    if (printed === null) continue;
    const shown = ran.stdout.replaceAll(sh.cwd, "$PWD");
    const lines = printed.trimEnd().split("\n");
    assertEquals(shown.trimEnd().split("\n").slice(-lines.length), lines);
  }
  const [inspected] = JSON.parse(await Deno.readTextFile(`${sh.cwd}/found.json`)).files;
  assertEquals([inspected.format, inspected.encoding.name], ["csv", "windows-1252"]);
  assertEquals([inspected.rows, inspected.refused.rows], [3, 1]);
  assertEquals(inspected.schema.columns[1], {
    name: "px",
    type: "DECIMAL(18,2)",
    nullable: false,
  });
});

Deno.test("convert accounts for members of archives, files of one name, and those that fail", async () => {
  await using sh = await shell();
  const { code, stdout, stderr } = await sh.run(`
    mkdir -p in/d && printf 'id\\n1\\n2\\n' > in/d/a.csv && printf '[{"id":3}]' > in/d/a.json
    head -c 300 /dev/urandom > in/d/noise.bin && printf '' > in/d/empty.csv
    tar --sort=name -cf in/all.tar -C in d && gzip in/all.tar && rm -r in/d
    tidewheel convert in/all.tar.gz --to csv --out out --json`);
  assertEquals(code, 3, stderr);
  const report = JSON.parse(stdout);
  assertEquals([report.accounting.in, report.accounting.out, report.failed], [3, 3, 2]);
  assertEquals(report.skipped, { directory: 1 });
  const files = report.files.filter((file: { file?: string }) => file.file).map((
    { file, from }: { file: string; from: string },
  ) => [from, file.slice(sh.cwd.length)]);
  assertEquals(files.sort(), [
    ["all.tar.gz/d/a.csv", "/out/all/d/a.csv"],
    ["all.tar.gz/d/a.json", "/out/all/d/a.json.csv"],
  ]);
  const left = await sh.run("find out -type f | sort; ls -A out");
  assertEquals(left.stdout.split("\n"), [
    "out/all/d/a.csv",
    "out/all/d/a.json.csv",
    "all",
    "",
  ]);
});

Deno.test("a URL is followed to its end, bounded, and one that fails says why", async () => {
  await using sh = await shell();
  await using server = Deno.serve({ port: 0, onListen: () => {} }, (request) => {
    const { pathname } = new URL(request.url);
    if (pathname === "/moved.csv") return Response.redirect(new URL("/day.csv", request.url));
    if (pathname === "/day.csv") return new Response("id,px\n1,2.5\n");
    if (pathname === "/large.csv") return new Response(new Uint8Array(100_000).fill(49));
    return new Response("no", { status: 503 });
  });
  const url = `http://localhost:${server.addr.port}`;
  const { code, stderr } = await sh.run(
    `tidewheel convert ${url}/moved.csv ${url}/large.csv ${url}/gone.csv --to csv --out out ` +
      "--download-max 50kB",
  );
  assertEquals(code, 3);
  assertEquals(await Deno.readTextFile(`${sh.cwd}/out/moved.csv`), "id,px\n1,2.5\n");
  assertStringIncludes(stderr, "it has more than 50000 bytes; raise --download-max");
  assertStringIncludes(stderr, "gone.csv: it answers 503");
});

Deno.test("Ctrl-C ends within a second and leaves nothing half done", async () => {
  await using sh = await shell();
  const rows = "1234567,1.25,some text of a row,2024-01-02\n".repeat(50_000);
  {
    using file = await Deno.open(`${sh.cwd}/large.csv`, { write: true, createNew: true });
    for (let i = 0; i < 100; i++) await file.write(new TextEncoder().encode(rows));
  }
  const child = sh.spawn(["convert", "large.csv", "--out", "out"]);
  const isAtWork = async () => {
    const found = await sh.run("find out -name '*.parquet' 2>/dev/null | head -1");
    return found.stdout !== "";
  };
  await until("it is at work", isAtWork);
  const askedAt = systemClock.monotonicMs();
  child.kill("SIGINT");
  const { code } = await child.output();
  const took = systemClock.monotonicMs() - askedAt;
  assertEquals(code, 130);
  assert(took < 2000, `it took ${took} ms`);
  assertEquals((await sh.run("ls -A out")).stdout, "");
});

const why = await whyNoSmallDisk();
Deno.test({
  name: "a full disk is said to be full, and leaves no part of a result",
  ignore: why !== null,
  async fn() {
    await using sh = await shell();
    await Deno.mkdir(`${sh.cwd}/disk`);
    await using _disk = await mountSmallDisk(`${sh.cwd}/disk`, 4);
    const made = await sh.run(
      `for i in $(seq 1 200000); do echo "$i,$RANDOM$RANDOM$RANDOM$RANDOM,$RANDOM$RANDOM$RANDOM"; done > large.csv
       gzip -k large.csv
       for file in large.csv large.csv.gz; do
         tidewheel convert $file --to csv --out disk; echo "exit $?"; ls -A disk
       done`,
    );
    assertEquals(made.stdout.split("\n"), ["exit 3", "exit 3", ""]);
    assertEquals(made.stderr.match(/\(DISK_FULL\)/g)?.length, 2, made.stderr);
  },
});
