import { assertEquals } from "@std/assert";
import { takeWorkDir } from "./work_dir.ts";

Deno.test("takeWorkDir() gives each living worker of a queue a folder of its own", async () => {
  const parent = await Deno.makeTempDir();
  const take = () => takeWorkDir(parent, ["desk/a", "*"]);
  const [first, second] = [await take(), await take()];
  assertEquals([first.dir, second.dir].map((dir) => dir.slice(parent.length)), [
    "/worker-desk_a-all",
    "/worker-desk_a-all-2",
  ]);
  first.release();
  const third = await take();
  assertEquals(third.dir, first.dir);
  third.release();
  second.release();
  await Deno.remove(parent, { recursive: true });
});
