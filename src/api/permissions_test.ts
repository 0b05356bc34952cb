import { assertEquals } from "@std/assert";
import { mayDo } from "./permissions.ts";

Deno.test("mayDo() gives a role what lesser roles have, and no more", () => {
  assertEquals(mayDo("viewer", "dags.read"), true);
  assertEquals(mayDo("viewer", "runs.trigger"), false);
  assertEquals(mayDo("user", "runs.trigger"), true);
  assertEquals(mayDo("user", "connections.read"), false);
  assertEquals(mayDo("op", "connections.edit"), true);
  assertEquals(mayDo("op", "audit.read"), false);
  assertEquals(mayDo("admin", "audit.read"), true);
});

Deno.test("mayDo() keeps people out of workers' routes and workers out of people's", () => {
  assertEquals(mayDo("admin", "execution.claim"), false);
  assertEquals(mayDo("admin", "execution.attempt"), false);
  assertEquals(mayDo("worker", "execution.claim"), true);
  assertEquals(mayDo("worker", "dags.read"), false);
  assertEquals(mayDo("attempt", "execution.claim"), false);
  assertEquals(mayDo("anonymous", "dags.read"), false);
  assertEquals(mayDo("anonymous", "health.read"), true);
});
