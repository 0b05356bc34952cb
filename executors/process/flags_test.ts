import { assertEquals } from "@std/assert";
import { PermissionsSpec } from "../../src/model/dag_spec.ts";
import { declaredEnv, permissionFlags } from "./flags.ts";

Deno.test("permissionFlags() leaves a flag out where nothing is allowed: bare it would allow all", () => {
  const permissions = PermissionsSpec.parse({ net: ["", " "], read: ["/a,b"] });
  const flags = permissionFlags({ permissions, read: ["/bundle"], write: [], denied: ["/home"] });

  assertEquals(flags, ["--allow-read=/bundle,/a,,b", "--deny-read=/home", "--deny-write=/home"]);
});

Deno.test("declaredEnv() gives what is declared and set, and nothing of the product's own", () => {
  const source = (name: string) => ({ A: "1", TIDEWHEEL_TOKEN: "secret" })[name];

  assertEquals(declaredEnv(["A", "B"], source), { env: { A: "1" } });
  assertEquals(declaredEnv(["A", "tidewheel_token"], source), { forbidden: "tidewheel_token" });
});
