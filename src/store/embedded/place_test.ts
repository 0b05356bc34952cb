import { assertEquals, assertRejects } from "@std/assert";
import { AppError } from "../../model/errors.ts";
import { choosePlace } from "./place.ts";

const isRoot = Deno.uid() === 0;

async function withHome(work: (home: string) => Promise<void>) {
  const home = await Deno.makeTempDir();
  await Deno.chmod(home, 0o755);
  try {
    await work(await Deno.realPath(home));
  } finally {
    await Deno.remove(home, { recursive: true });
  }
}

Deno.test("choosePlace() as an ordinary user stays in the home", () =>
  withHome(async (home) => {
    await Deno.chmod(home, 0o700);

    const place = await choosePlace(home, { isRoot: false });

    assertEquals(place, { serverDir: `${home}/postgres`, dir: `${home}/postgres`, user: null });
  }));

Deno.test({
  name: "choosePlace() as root picks the best user that the machine has",
  ignore: !isRoot,
  fn: () =>
    withHome(async (home) => {
      const root = "root:x:0:0:root:/root:/bin/sh";
      const nobody = "nobody:x:65534:65534::/:/bin/false";
      const postgres = "postgres:x:101:104::/:/bin/bash";
      const daemon = "daemon:x:1:2::/:/bin/false";
      for (
        const [passwd, name] of [
          [[root, nobody, postgres], "postgres"],
          [[root, daemon, nobody], "nobody"],
          [[root, daemon, ""], "daemon"],
        ] as const
      ) {
        const place = await choosePlace(home, { passwd: passwd.join("\n") });
        assertEquals(place.user?.name, name);
        assertEquals((await Deno.stat(`${place.dir}/run`)).uid, place.user?.uid);
      }

      const error = await assertRejects(
        () => choosePlace(home, { passwd: root }),
        AppError,
        "no other user",
      );
      assertEquals(error.code, "UNAVAILABLE");
    }),
});
