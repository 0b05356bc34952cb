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
  const port = { TIDEWHEEL_ALLOWED_HOSTS: "ops.example.com:9000" };
  assertThrows(bad(port), AppError, "without scheme and port");
  assertThrows(bad({}, "allowedOrigins: [ops.example.com]"), AppError, "https://ops.example.com");
  assertThrows(bad({}, "allowedOrigins: ['https://a.example/x']"), AppError, "must be origins");
});

Deno.test("readSettings() takes lists from YAML, and with commas from the environment", () => {
  const yaml = "allowedHosts: [Ops.Example.com, '*']\nallowedOrigins: [https://a.example:443/]\n";
  const file = readSettings({ env: {}, yaml });
  assertEquals(file.allowedHosts, ["ops.example.com", "*"]);
  assertEquals(file.allowedOrigins, ["https://a.example"]);
  const env = { TIDEWHEEL_ALLOWED_HOSTS: "a.example, [fd00::1],", TIDEWHEEL_ALLOWED_ORIGINS: "" };
  const given = readSettings({ env, yaml });
  assertEquals(given.allowedHosts, ["a.example", "[fd00::1]"]);
  assertEquals(given.allowedOrigins, ["https://a.example"]);
  assertEquals(readSettings({ env: {} }).allowedHosts, []);
});
