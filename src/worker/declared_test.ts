import { assertEquals, assertRejects } from "@std/assert";
import type { ConnectionSecret } from "../contract/execution.ts";
import { TaskSpec } from "../model/dag_spec.ts";
import { resolvePermissions } from "./declared.ts";

const connection = (given: Partial<ConnectionSecret>): ConnectionSecret => ({
  ...{ connectionId: "c", connType: "http", host: null, port: null, schema: null },
  ...{ login: null, password: null, extra: {} },
  ...given,
});

const taskWith = (permissions: Partial<TaskSpec["permissions"]>) =>
  TaskSpec.parse({ taskId: "t", operator: "task", upstream: [], retry: {}, permissions });

const netOf = async (given: Partial<ConnectionSecret>) => {
  const task = taskWith({ net: ["cdn.x.com", "connection:c"] });
  const { net } = await resolvePermissions(task, () => Promise.resolve(connection(given)));
  return net.slice(1);
};

Deno.test("resolvePermissions() opens the host of a connection, as narrow as it is known", async () => {
  assertEquals(await netOf({ host: "api.x.com", port: 8443 }), ["api.x.com:8443"]);
  assertEquals(await netOf({ host: "api.x.com" }), ["api.x.com"]);
  assertEquals(await netOf({ host: "http://127.0.0.1:9100/v1" }), ["127.0.0.1:9100"]);
  assertEquals(await netOf({ host: "https://api.x.com/v1", port: 1 }), ["api.x.com:1"]);
  assertEquals(await netOf({ host: "::1", port: 80 }), ["[::1]:80"]);
  assertEquals(await netOf({}), []);
});

Deno.test("resolvePermissions() opens the folder of a connection, and asks for an absolute one", async () => {
  const task = taskWith({ read: ["connection:c"] });
  const resolve = (extra: ConnectionSecret["extra"]) =>
    resolvePermissions(task, () => Promise.resolve(connection({ extra })));
  assertEquals((await resolve({ path: "/data/in" })).read, ["/data/in"]);
  await assertRejects(() => resolve({ path: "in" }), Error, "not an absolute path");
});
