/** @module Files larger than the memory that a conversion is given. */
import { assert, assertEquals } from "@std/assert";
import { join } from "node:path";
import { startEngine } from "../../src/engine/client.ts";
import type { TableSchema } from "../../src/model/data.ts";
import { processStatus } from "../support/process_status.ts";
import { convertFile } from "../../operators/convert/local.ts";

const MIB = 1024 * 1024;
const BYTES = 3 * 1024 * MIB;
const MEMORY_BYTES = 1024 * MIB;

const schema: TableSchema = {
  name: "bars",
  key: [],
  columns: [
    { name: "symbol", type: "VARCHAR", nullable: false },
    { name: "date", type: "DATE", nullable: false },
    ...["open", "high", "low", "close"].map((name) => ({
      name,
      type: "DECIMAL(18,4)",
      nullable: true,
    })),
    { name: "volume", type: "BIGINT", nullable: true },
  ],
};

Deno.test("convert takes a file of 3 GB with memory that stays below its limit", async () => {
  const dir = await Deno.realPath(await Deno.makeTempDir({ prefix: "tw large " }));
  const workDir = join(dir, "work");
  await Deno.mkdir(workDir);
  const rows = await writeBars(join(dir, "bars.csv"));
  const engine = await startEngine({
    workDir,
    allowedDirectories: [dir],
    tempDir: join(workDir, ".engine"),
    memoryBytes: MEMORY_BYTES,
  });
  try {
    const report = await convertFile(
      join(dir, "bars.csv"),
      { to: "parquet", out: join(dir, "out"), schema },
      { engine, workDir },
    );
    assertEquals(report.accounting.in, rows);
    assertEquals([report.accounting.out, report.accounting.quarantined], [rows - 1, 1]);
    const { peakRssBytes } = await processStatus(engine.pid);
    console.log(`peak memory of the engine: ${Math.round(peakRssBytes / MIB)} MiB`);
    assert(peakRssBytes < MEMORY_BYTES, `the engine took ${peakRssBytes} bytes`);
  } finally {
    await engine.close();
    await Deno.remove(dir, { recursive: true });
  }
});

/** Daily bars, one of them with a word for a volume; returns the number of rows. */
async function writeBars(path: string): Promise<number> {
  const lines: string[] = [];
  for (let i = 0; i < 20_000; i++) {
    const price = (100 + i % 900 / 7).toFixed(4);
    const day = String(1 + i % 28).padStart(2, "0");
    lines.push(`S${i % 5000},2026-01-${day},${price},${price},${price},${price},${i * 37}`);
  }
  const block = new TextEncoder().encode(lines.join("\n") + "\n");
  using file = await Deno.open(path, { write: true, createNew: true });
  const write = async (bytes: Uint8Array) => {
    for (let at = 0; at < bytes.length;) at += await file.write(bytes.subarray(at));
  };
  await write(new TextEncoder().encode("symbol,date,open,high,low,close,volume\n"));
  let rows = 0;
  for (let written = 0; written < BYTES; written += block.length, rows += lines.length) {
    await write(block);
  }
  await write(new TextEncoder().encode("BAD,2026-01-01,1.0000,1.0000,1.0000,1.0000,many\n"));
  return rows + 1;
}
