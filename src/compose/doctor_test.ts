import { assertEquals, assertStringIncludes } from "@std/assert";
import { RestClient } from "../cli/client.ts";
import { readSettings } from "../settings.ts";
import { calendarNames } from "../model/calendar_names.ts";
import { checkCalendars, runDoctor } from "./doctor.ts";

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
  return { code, what: Object.fromEntries(checks.map(({ check, what }) => [check, what])) };
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

Deno.test("checkCalendars() warns of calendars that end soon", () => {
  const at = (now: string) => checkCalendars(new Date(now));
  assertEquals(
    at("2026-08-01").startsWith(`${calendarNames.length} calendars, none ends before`),
    true,
  );
  assertStringIncludes(at("2026-11-01"), "these end soon: XBOM on 2026-12-31");
});
