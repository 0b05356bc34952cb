import { assertEquals } from "@std/assert";
import { testDatabase } from "../../tests/support/database.ts";
import { findConnection, putConnection } from "./connection.ts";
import { rewrapSecrets } from "./rewrap.ts";
import { secretBox } from "./secrets.ts";
import { findVariable, putVariable } from "./variable.ts";

const now = new Date("2030-01-01T00:00:00Z");
const [keyA, keyB, keyC] = [1, 2, 3].map((byte) => new Uint8Array(32).fill(byte).toBase64());
const connection = { connectionId: "c", connType: "http", password: "hunter2" };

Deno.test("rewrapSecrets() makes the old key unneeded, and leaves what it cannot open", async () => {
  await using db = await testDatabase();
  const [oldBox, lostBox] = [secretBox([keyA]), secretBox([keyC])];
  await putConnection(db.sql, { connection, box: oldBox, now });
  await putVariable(db.sql, { key: "v", value: 1, box: oldBox, now });
  await putVariable(db.sql, { key: "lost", value: 2, box: lostBox, now });
  const unreadable = [{ keyId: lostBox.keyId, rows: 1 }];

  const box = secretBox([keyB, keyA]);
  assertEquals(await rewrapSecrets(db.sql, { box }), { connections: 1, variables: 1, unreadable });
  assertEquals(await rewrapSecrets(db.sql, { box }), { connections: 0, variables: 0, unreadable });

  const alone = secretBox([keyB]);
  assertEquals((await findVariable(db.sql, { key: "v", box: alone }))?.value, 1);
  const found = await findConnection(db.sql, { connectionId: "c", box: alone });
  assertEquals(found?.hasPassword, true);
});
