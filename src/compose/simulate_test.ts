import {
  assert,
  assertEquals,
  assertMatch,
  assertRejects,
  assertStringIncludes,
} from "@std/assert";
import { RestClient, type VerbOptions } from "../cli/mod.ts";
import { AppError } from "../model/errors.ts";
import { runSimulate } from "./simulate.ts";

const file = `import { dag, onDatasets, sessions, task } from "tidewheel";
export const nightly = dag({
  id: "nightly", schedule: "0 2 * * *", timezone: "Europe/Berlin",
  start: "2026-03-20", catchup: true, maxActiveRuns: 1,
}, () => {
  const load = task({ id: "load" }, () => 1);
  task({ id: "send", after: load }, () => 1);
});
export const closes = dag({ id: "closes", schedule: sessions("XNYS") }, () => {
  task({ id: "load" }, () => 1);
});
export const waits = dag({ id: "waits", schedule: onDatasets("prices") }, () => {
  task({ id: "load" }, () => 1);
});
`;

let dir: string;
Deno.test.beforeAll(async () => {
  dir = await Deno.makeTempDir();
  // Beside this file, so that its imports are found.
  await Deno.writeTextFile(`${dir}/desk.ts`, file);
});
Deno.test.afterAll(async () => await Deno.remove(dir, { recursive: true }));

async function simulate(options: VerbOptions, json = false): Promise<string> {
  let out = "";
  await using history = Deno.serve(
    { port: 0, hostname: "127.0.0.1", onListen() {} },
    () =>
      Response.json({
        task_instances: [
          ...[60, 7200, 7200].map((duration) => ({ task_id: "load", duration })),
          { task_id: "send", duration: 3600 },
        ],
        total_entries: 4,
      }),
  );
  const context = {
    api: new RestClient({ url: `http://127.0.0.1:${history.addr.port}`, token: () => "t" }),
    output: { json, isTerminal: false, out: (text: string) => void (out += text), err() {} },
    sleep: () => Promise.resolve(),
    readStdin: () => Promise.resolve(""),
  };
  const given = { from: "2026-03-25", to: "2026-04-01", ...options };
  assertEquals(await runSimulate(context, [`${dir}/desk.ts`], given), 0);
  return out;
}

Deno.test("simulate shows a line a run: due, local time, interval, how late, how long", async () => {
  const out = await simulate({ dag: "nightly" });

  assertMatch(
    out,
    /2026-03-21T01:00Z +2026-03-21T02:00\+01:00 +2026-03-20T01:00Z +2026-03-21T01:00Z +\+3d 23h +2m +catch-up/,
  );
  // Two o'clock does not exist in the night of the 29th: the run is due at the next instant.
  assertMatch(out, /2026-03-29T01:00Z +2026-03-29T03:00\+02:00 .* on time +2m +clocks change/);
  assertMatch(out, /nightly: 12 runs of 2 tasks, 23 tasks started; a task takes 1m;/);
});

Deno.test("simulate goes by durations, and shows what piles up", async () => {
  const out = await simulate({ dag: "nightly", duration: ["20h", "send=8h"] });

  assertStringIncludes(out, "a task takes 20h, send 8h");
  assertStringIncludes(out, "5 due runs are not made at the end");
  assertStringIncludes(out, "runs waited (maxActiveRuns 1)");
});

Deno.test("simulate can take durations from what was", async () => {
  const { runs } = JSON.parse(await simulate({ dag: "nightly", history: true }, true));
  const [{ start_date, end_date }] = runs;
  assertEquals((Date.parse(end_date) - Date.parse(start_date)) / 3_600_000, 3);
});

Deno.test("simulate takes all DAGs of a file, through times without a scheduler", async () => {
  const down = ["2026-03-25T12:00..2026-03-27T12:00Z"];
  const out = await simulate({ down });
  assertMatch(out, /closes +2026-03-26T20:00Z .*\+16h/);
  assertStringIncludes(out, "waits: left out, only datasets or people start it");
  const { dags } = JSON.parse(await simulate({ paused: ["2026-03-01..2026-05-01"] }, true));
  assertEquals(dags.map((dag: { runs: number }) => dag.runs), [0, 0]);
});

Deno.test("simulate draws runs and waits", async () => {
  await simulate({ dag: "nightly", duration: ["20h"], svg: `${dir}/year.svg` });
  const svg = await Deno.readTextFile(`${dir}/year.svg`);

  assertStringIncludes(svg, "nightly: 5 runs, UTC");
  const bars = [
    ...svg.matchAll(/<rect x="([\d.]+)" y="(\d+)" width="([\d.]+)" height="(\d)" fill="(#\w+)"/g),
  ];
  assert(bars.some(([, , , , height, fill]) => height === "2" && fill === "#dc2626"));
  // No bar goes past the end of its day.
  assert(bars.every(([, x, , width]) => Number(x) + Number(width) <= 90 + 960 + 2));
});

Deno.test("simulate says what it cannot do", async () => {
  const message = (options: VerbOptions, text: string) =>
    assertRejects(() => simulate(options), AppError, text);
  await message({ dag: "waits" }, "only datasets or people start it");
  await message({ dag: "none" }, "it exports: closes, nightly, waits");
  await message({ from: "2026-05-01" }, "--to is not after --from");
  await message({ down: ["yesterday"] }, "--down yesterday is no stretch of time");
  await message({ duration: ["soon"] }, "Cannot use --duration soon");
  await message({ duration: ["lead=5m"] }, "there is no such task; there are load, send");
  await message({ mapped: "many" }, "--mapped many is not 0 to 10000");
});
