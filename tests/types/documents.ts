/** @module The TypeScript blocks of the guides as programs, so that no example can rot. */

import { dirname, join } from "node:path";

const root = new URL("../../", import.meta.url);
const guides = new URL("../../docs/guides/", import.meta.url);

/** One block of code and the line of its document that it begins on. */
interface Block {
  line: number;
  code: string;
}

/** Programs made of documents, in a folder of their own until disposed. */
export interface DocumentPrograms extends AsyncDisposable {
  paths: string[];
  /** `guide.md:12` for a program's path; the path itself for any other. */
  sourceOf(path: string): string;
}

/**
 * Each block that opens with a line of three back-ticks and `ts`, in the guides that exist. A block
 * whose first line is `// file: name.ts` is written under that name, so that other blocks of the
 * guide can import it; its other relative imports are those of a module of the product at that path.
 */
export async function documentPrograms(): Promise<DocumentPrograms> {
  const dir = await Deno.makeTempDir({ prefix: "tidewheel-guides-" });
  const sources = new Map<string, string>();
  for await (const { name } of Deno.readDir(guides)) {
    if (!name.endsWith(".md")) continue;
    const folder = `${dir}/${name.slice(0, -3)}`;
    const blocks = blocksOf(await Deno.readTextFile(new URL(name, guides)));
    const files = new Set(blocks.map(fileOf));
    for (const block of blocks) {
      const path = `${folder}/${fileOf(block)}`;
      await Deno.mkdir(path.slice(0, path.lastIndexOf("/")), { recursive: true });
      await Deno.writeTextFile(path, inProduct(block, files));
      sources.set(path, `docs/guides/${name}:${block.line}`);
    }
  }
  return {
    paths: [...sources.keys()].sort(),
    sourceOf: (path) => sources.get(path) ?? path,
    [Symbol.asyncDispose]: () => Deno.remove(dir, { recursive: true }),
  };
}

function fileOf({ code, line }: Block): string {
  return /^\/\/ file: (\S+\.ts)\n/.exec(code)?.[1] ?? `line_${line}.ts`;
}

/** The block's code; relative imports of what is no block of its guide lead into the product. */
function inProduct(block: Block, files: ReadonlySet<string>): string {
  const folder = dirname(fileOf(block));
  return block.code.replace(/(\b(?:from|import\() *)"(\.[^"]+)"/g, (whole, before, specifier) => {
    const target = join(folder, specifier);
    return files.has(target) ? whole : `${before}${JSON.stringify(new URL(target, root).href)}`;
  });
}

/** The `ts` blocks of a Markdown text with the line that each begins on. */
export function blocksOf(markdown: string): Block[] {
  return [...markdown.matchAll(/^```ts\n([\s\S]*?)^```$/gm)].map((match) => ({
    line: markdown.slice(0, match.index).split("\n").length + 1,
    code: match[1],
  }));
}
