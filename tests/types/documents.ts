/** @module The TypeScript blocks of the guides as programs, so that no example can rot. */

const guides = new URL("../../docs/guides/", import.meta.url);

/** Programs made of documents, in a folder of their own until disposed. */
export interface DocumentPrograms extends AsyncDisposable {
  paths: string[];
  /** `guide.md:12` for a program's path; the path itself for any other. */
  sourceOf(path: string): string;
}

/**
 * Each block that opens with a line of three back-ticks and `ts`, in the guides that exist. A block
 * whose first line is `// file: name.ts` is written under that name, so that later blocks of the
 * guide can import it.
 */
export async function documentPrograms(): Promise<DocumentPrograms> {
  const dir = await Deno.makeTempDir({ prefix: "tidewheel-guides-" });
  const sources = new Map<string, string>();
  for await (const { name } of Deno.readDir(guides)) {
    if (!name.endsWith(".md")) continue;
    const folder = `${dir}/${name.slice(0, -3)}`;
    for (const block of blocksOf(await Deno.readTextFile(new URL(name, guides)))) {
      const file = /^\/\/ file: (\S+\.ts)\n/.exec(block.code)?.[1] ?? `line_${block.line}.ts`;
      const path = `${folder}/${file}`;
      await Deno.mkdir(path.slice(0, path.lastIndexOf("/")), { recursive: true });
      await Deno.writeTextFile(path, block.code);
      sources.set(path, `docs/guides/${name}:${block.line}`);
    }
  }
  return {
    paths: [...sources.keys()].sort(),
    sourceOf: (path) => sources.get(path) ?? path,
    [Symbol.asyncDispose]: () => Deno.remove(dir, { recursive: true }),
  };
}

/** The `ts` blocks of a Markdown text with the line that each begins on. */
export function blocksOf(markdown: string): { line: number; code: string }[] {
  return [...markdown.matchAll(/^```ts\n([\s\S]*?)^```$/gm)].map((match) => ({
    line: markdown.slice(0, match.index).split("\n").length + 1,
    code: match[1],
  }));
}
