import { assert, assertEquals, assertThrows } from "@std/assert";
import { hasCode } from "../model/errors.ts";
import { openObjectStore } from "./open.ts";

Deno.test("openObjectStore() opens a folder by its file URL", async () => {
  const dir = await Deno.makeTempDir({ prefix: "tw objects " });
  try {
    await openObjectStore(`file://${dir.replaceAll(" ", "%20")}/o`).put("k", new Uint8Array([7]));

    assertEquals([...await Deno.readFile(`${dir}/o/k`)], [7]);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
});

Deno.test("openObjectStore() takes an S3 URL without loading the SDK", () => {
  openObjectStore("s3://bucket/a/prefix?endpoint=http://127.0.0.1:9&region=eu-west-1");
  openObjectStore("s3://bucket");
});

Deno.test("openObjectStore() refuses what it does not know", () => {
  for (
    const url of ["", "/tmp/x", "ftp://x/y", "s3:///p", "s3://b?regoin=x", "s3://b?endpoint=nine"]
  ) {
    assert(hasCode(assertThrows(() => openObjectStore(url)), "INVALID"), url);
  }
});
