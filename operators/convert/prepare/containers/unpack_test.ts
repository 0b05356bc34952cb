import { assert, assertEquals, assertRejects } from "@std/assert";
import { Buffer } from "node:buffer";
import { gzipSync, zstdCompressSync } from "node:zlib";
import { Uint8ArrayReader, Uint8ArrayWriter, ZipWriter } from "@zip.js/zip.js";
import { pack } from "tar-stream";
import { UnpackParams } from "./params.ts";
import { unpack } from "./unpack.ts";

const text = Array.from({ length: 400 }, (_, i) => `${i},${i * 7919 % 1000}.25,A${i % 7}\n`).join(
  "",
);
const content = new TextEncoder().encode(`id,px,symbol\n${text}`);
const row = new TextEncoder().encode("a,b\n1,2\n");
/** `row` as bzip2 and xz make it. */
const bzip2 = Uint8Array.fromBase64(
  "QlpoOTFBWSZTWb+HQH8AAANZAAAQAAQwADAAIAAwwAhpsogjJ4u5IpwoSF/DoD+A",
);
const xz = Uint8Array.fromBase64(
  "/Td6WFoAAATm1rRGAgAhARYAAAB0L+WjAQAHYSxiCjEsMgoAvpy9SbUSKv4AASAIuxnZux+2830BAAAAAARZWg==",
);

Deno.test("unpack()", async (t) => {
  const dir = await Deno.makeTempDir();
  try {
    let next = 0;
    const tempPath = () => `${dir}/out-${next++}`;
    const unpacked = async (bytes: Uint8Array, params: Partial<UnpackParams> = {}) => {
      const path = `${dir}/in-${next++}`;
      await Deno.writeFile(path, bytes);
      const { signal } = new AbortController();
      const options = { ...UnpackParams.parse(params), tempPath, signal };
      const { files, skipped } = await unpack(path, "raw", options);
      const read = files.map(async (file) => ({ ...file, bytes: await Deno.readFile(file.path) }));
      return { files: await Promise.all(read), skipped, raw: path };
    };
    const refused = async (bytes: Uint8Array, message: string | RegExp, params = {}) => {
      const error = await assertRejects(() => unpacked(bytes, params), Error) as Error & {
        code: string;
      };
      assert(new RegExp(message).test(error.message), error.message);
      return error.code;
    };

    for (
      const { kind, bytes, plain } of [
        { kind: "gzip", bytes: gzipSync(content), plain: content },
        { kind: "zstd", bytes: zstd(content), plain: content },
        { kind: "bzip2", bytes: bzip2, plain: row },
        { kind: "xz", bytes: xz, plain: row },
      ]
    ) {
      await t.step(`${kind}: one after the other is one file`, async () => {
        for (const times of [1, 3]) {
          const { files } = await unpacked(joined(...Array(times).fill(bytes)));
          assertEquals(files.map(({ compression, member }) => [compression, member]), [
            [kind, null],
          ]);
          assertEquals(files[0].bytes, joined(...Array(times).fill(plain)));
        }
      });

      await t.step(`${kind}: cut off at any byte it is refused, with the offset`, async () => {
        const step = bytes.length < 300 ? 1 : 97;
        for (let end = 12; end < bytes.length; end += step) {
          const error = await assertRejects(() => unpacked(bytes.slice(0, end)), Error);
          assert(error.message.includes(`as ${kind}, by byte ${end}:`), error.message);
        }
      });

      await t.step(`${kind}: with a bit turned it is refused, or unharmed`, async () => {
        for (let at = 0; at < bytes.length; at += bytes.length < 300 ? 1 : 61) {
          const broken = Uint8Array.from(bytes);
          broken[at] ^= 1 << (at % 8);
          const found = await unpacked(broken).catch(() => null);
          const isGone = found === null || found.files[0].compression === null;
          if (!isGone) assertEquals(found.files[0].bytes, plain, `bit of byte ${at}`);
        }
      });

      await t.step(`${kind}: other bytes behind it are refused`, async () => {
        const behind = new TextEncoder().encode("id,px\n1,2\n".repeat(8));
        assertEquals(await refused(joined(bytes, behind), `as ${kind}`), "CORRUPT");
      });
    }

    await t.step("a zip gives its members; hidden ones and folders are counted", async () => {
      const bytes = await zip({
        "day/prices.csv": content,
        "day/": null,
        "__MACOSX/day/._prices.csv": row,
        "day/.DS_Store": row,
        "fx.csv": row,
      });
      const { files, skipped } = await unpacked(bytes);
      assertEquals(files.map(({ name, member, compression }) => [name, member, compression]), [
        ["raw/day/prices.csv", "day/prices.csv", "zip"],
        ["raw/fx.csv", "fx.csv", "zip"],
      ]);
      assertEquals(files[0].bytes, content);
      assertEquals(skipped, { directory: 1, hidden: 2 });
      const wanted = await unpacked(bytes, { members: "day/*.csv" });
      assertEquals([wanted.files.length, wanted.skipped["not wanted"]], [1, 1]);
    });

    await t.step("containers in containers are unpacked, up to a depth", async () => {
      const inner = await zip({ "a.csv.gz": gzipSync(content), "b.csv": row });
      const bytes = gzipSync(await tar({ "x/inner.zip": inner, "c.csv": row }));
      const { files } = await unpacked(bytes);
      assertEquals(files.map(({ name, compression }) => [name, compression]), [
        ["raw/x/inner.zip/a.csv.gz", "gzip in zip in tar in gzip"],
        ["raw/x/inner.zip/b.csv", "zip in tar in gzip"],
        ["raw/c.csv", "tar in gzip"],
      ]);
      assertEquals(files[0].bytes, content);
      const code = await refused(bytes, "more than 3 containers in each other", { depthMax: 3 });
      assertEquals(code, "LIMIT_EXCEEDED");
    });

    await t.step("names that lead elsewhere are labels, and nothing else", async () => {
      const evil = "../../../etc/x\n\x1b[31m.csv";
      for (
        const bytes of [await zip({ [evil]: row }), await tar({ [evil]: row, "/abs.csv": row })]
      ) {
        const { files } = await unpacked(bytes);
        assertEquals(files[0].name, "raw/etc/x__[31m.csv");
        assert(files.every(({ path }) => path.startsWith(dir)));
      }
    });

    await t.step("bombs end at their bound", async () => {
      const zeros = gzipSync(new Uint8Array(300_000_000));
      assertEquals(await refused(zeros, "more than 250 times its own size"), "LIMIT_EXCEEDED");
      const small = { bytesMax: 1000 };
      assertEquals(await refused(gzipSync(content), "1000 bytes", small), "LIMIT_EXCEEDED");
      const many = await zip({ a: row, b: row, c: row });
      assertEquals(await refused(many, "2 members", { membersMax: 2 }), "LIMIT_EXCEEDED");
    });

    await t.step("a zip that is cut off, damaged, encrypted or empty says so", async () => {
      const bytes = await zip({ "a.csv": content });
      for (let end = 40; end < bytes.length; end += 53) {
        assertEquals(await refused(bytes.slice(0, end), "Cannot read raw as zip"), "CORRUPT");
      }
      for (let at = 40; at < bytes.length - 120; at += 37) {
        const broken = bytes.slice();
        broken[at] ^= 4;
        const found = await unpacked(broken).catch(() => null);
        if (found) assertEquals(found.files[0].bytes, content, `byte ${at}`);
      }
      const secret = await zip({ "a.csv": content }, { password: "x", encryptionStrength: 3 });
      assertEquals(await refused(secret, "raw/a.csv as zip: it is encrypted"), "CORRUPT");
      assertEquals(await refused(await zip({}), "there is no file in it"), "CORRUPT");
    });

    await t.step("a tar that is cut off is refused", async () => {
      const bytes = await tar({ "a.csv": content, "b.csv": row });
      for (let end = 513; end < bytes.length - 1024; end += 257) {
        assertEquals(await refused(bytes.slice(0, end), `as tar, by byte ${end}`), "CORRUPT");
      }
      const twice = joined(
        (await tar({ "a.csv": row })).slice(0, 1024),
        await tar({ "a.csv": row }),
      );
      assertEquals(await refused(twice, "two members"), "CORRUPT");
    });

    await t.step("what is not packed stays where it is", async () => {
      const { files, raw } = await unpacked(content);
      assertEquals([files[0].path, files[0].compression], [raw, null]);
      const office = await zip({ "[Content_Types].xml": row, "xl/workbook.xml": row });
      assertEquals((await unpacked(office)).files[0].compression, null);
      const inner = await unpacked(gzipSync(office));
      assertEquals([inner.files.length, inner.files[0].compression], [1, "gzip"]);
    });

    await t.step("archives that are not read are named", async () => {
      const sevenZip = Uint8Array.of(0x37, 0x7a, 0xbc, 0xaf, 0x27, 0x1c, 0, 4);
      assertEquals(await refused(sevenZip, "it is a 7z archive"), "INVALID");
      assertEquals(await refused(gzipSync(sevenZip), "it is a 7z archive"), "INVALID");
    });
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
});

function zstd(bytes: Uint8Array): Uint8Array {
  return zstdCompressSync(bytes, { params: { 201: 1 } });
}

async function zip(
  members: Record<string, Uint8Array | null>,
  options: ConstructorParameters<typeof ZipWriter>[1] = {},
): Promise<Uint8Array> {
  const archive = new ZipWriter(new Uint8ArrayWriter(), { useWebWorkers: false, ...options });
  for (const [path, bytes] of Object.entries(members)) {
    if (bytes === null) await archive.add(path, undefined, { directory: true });
    else await archive.add(path, new Uint8ArrayReader(bytes));
  }
  return await archive.close();
}

async function tar(members: Record<string, Uint8Array>): Promise<Uint8Array> {
  const archive = pack();
  for (const [name, bytes] of Object.entries(members)) archive.entry({ name }, Buffer.from(bytes));
  archive.finalize();
  const chunks: Uint8Array[] = [];
  for await (const chunk of archive) chunks.push(chunk as Uint8Array);
  return joined(...chunks);
}

function joined(...parts: Uint8Array[]): Uint8Array {
  const all = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}
