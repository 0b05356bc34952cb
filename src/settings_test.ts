import { assertEquals, assertThrows } from "@std/assert";
import { AppError } from "./model/errors.ts";
import { readSettings } from "./settings.ts";

Deno.test("readSettings() puts the environment over the file over the defaults", () => {
  const yaml = "port: 9100\nlogLevel: debug\n";
  const settings = readSettings({ env: { TIDEWHEEL_PORT: "9200" }, yaml });
  assertEquals([settings.port, settings.logLevel, settings.dagsDir], [9200, "DEBUG", "./dags"]);
});

Deno.test("readSettings() names the setting and its source when a value does not fit", () => {
  const bad = (env: Record<string, string>, yaml = "") => () => readSettings({ env, yaml });
  assertThrows(bad({ TIDEWHEEL_PORT: "ninety" }), AppError, "variable TIDEWHEEL_PORT");
  assertThrows(bad({}, "portt: 1"), AppError, '"portt" of tidewheel.yaml');
  assertThrows(bad({}, "- a"), AppError, "must be a map");
  assertThrows(bad({ PROMETHEUS_ENABLED: "maybe" }), AppError, "PROMETHEUS_ENABLED");
});
