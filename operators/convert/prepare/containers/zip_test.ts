import { assertEquals } from "@std/assert";
import { zipOf } from "../../../../tests/support/workbook_file.ts";
import { documentInZip } from "./zip.ts";

Deno.test("documentInZip() knows documents whose telling part comes last, and archives", async () => {
  const media = Object.fromEntries(
    Array.from({ length: 70 }, (_, i) => [`xl/media/${i}.png`, "x"]),
  );
  const cases: [Record<string, string>, string | null][] = [
    [{ ...media, "[Content_Types].xml": "<Types/>" }, "an Office document"],
    [{ "content.xml": "<a/>", "META-INF/manifest.xml": "<m/>" }, "an OpenDocument file"],
    [media, null],
  ];
  const path = await Deno.makeTempFile();
  try {
    for (const [parts, wanted] of cases) {
      await Deno.writeFile(path, await zipOf(parts));
      assertEquals(await documentInZip(path), wanted);
    }
  } finally {
    await Deno.remove(path);
  }
});
