import { assertEquals, assertStringIncludes } from "@std/assert";
import { systemClock } from "../base/clock.ts";
import { RestClient } from "../cli/client.ts";
import { readSettings } from "../settings.ts";
import { runDoctor } from "./doctor.ts";

/** What the doctor says about an installation whose home is this folder. */
async function findings(home: string, dags: string) {
  let out = "";
  const env = { TIDEWHEEL_HOME: home, TIDEWHEEL_DAGS_DIR: dags, TIDEWHEEL_PORT: "1" };
  const code = await runDoctor(() => readSettings({ env }), {
    api: new RestClient({ url: "http://127.0.0.1:1", token: () => "" }),
    output: { json: true, isTerminal: false, out: (text) => void (out += text), err() {} },
    sleep: () => Promise.resolve(),
    readStdin: () => Promise.resolve(""),
  });
  const checks: { check: string; what: string }[] = JSON.parse(out).checks;
  return {
    code,
    rows: checks,
    what: Object.fromEntries(checks.map(({ check, what }) => [check, what])),
  };
}

Deno.test("doctor looks at the home without making it or leaving anything in it", async () => {
  const dir = await Deno.makeTempDir({ prefix: "tidewheel-doctor-" });
  try {
    const missing = await findings(`${dir}/below/home`, dir);
    assertEquals(missing.code, 0);
    assertStringIncludes(missing.what.home, "will be made at the start");
    assertEquals([...Deno.readDirSync(dir)], []);

    const there = await findings(dir, dir);
    assertStringIncludes(there.what.home, "can be written");
    assertEquals([...Deno.readDirSync(dir)], []);

    await Deno.writeTextFile(`${dir}/file`, "");
    assertEquals((await findings(`${dir}/file`, dir)).code, 1);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
});

Deno.test("doctor warns of files that cannot be used, and of calendars that a DAG goes by", async () => {
  const home = await Deno.makeTempDir({ prefix: "tidewheel-doctor-" });
  const dags = await Deno.makeTempDir({ prefix: "tidewheel-doctor-" });
  try {
    const until = new Date(systemClock.now().getTime() + 30 * 86_400_000).toISOString().slice(
      0,
      10,
    );
    await Deno.writeTextFile(
      `${dags}/a.ts`,
      `import { calendar, dag, sessions, task } from "tidewheel";
const desk = calendar({
  id: "DESK", timezone: "UTC", from: "2024-01-01", until: "${until}",
  weekdays: [{ from: "2024-01-01", days: [1, 2, 3, 4, 5, 6, 7] }],
  hours: [{ from: "2024-01-01", open: "09:00", close: "17:00" }], closed: [],
});
export default dag({ id: "a", schedule: sessions(desk) }, () => { task({ id: "t" }, () => 1); });
`,
    );
    await Deno.writeTextFile(`${dags}/b.ts`, "export const x: = 1;\n");
    const { code, rows } = await findings(home, dags);
    assertEquals(code, 0);
    const said = rows.filter(({ check }) => check === "dags").map(({ what }) => what);
    assertEquals(said[0], `${dags}: 1 DAGs`);
    assertStringIncludes(said[1], "warning: b.ts cannot be used: ");
    assertEquals(said.slice(2), [
      `warning: The calendar DESK of DAG "a" ends on ${until}: its schedule makes no runs after ` +
      "that; add its next dates",
    ]);
  } finally {
    await Deno.remove(home, { recursive: true });
    await Deno.remove(dags, { recursive: true });
  }
});
