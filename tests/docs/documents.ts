/** @module What documents name: commands, environment variables, links. */

const root = new URL("../../", import.meta.url);

/** A document of people's: `path` from the root of the repository. */
export interface Document {
  path: string;
  text: string;
}

/** A command line in a document. */
export interface NamedCommand {
  /** `README.md:12`. */
  place: string;
  verb: string;
  /** `--wait`, `-f`. */
  options: string[];
}

/** README, guides, decisions and the rest of docs, without what is generated. */
export async function documents(): Promise<Document[]> {
  const paths = ["README.md", "CONTRIBUTING.md", "CHANGELOG.md"];
  for (const folder of ["docs", "docs/guides", "docs/decisions", "docs/reference"]) {
    for await (const { name } of Deno.readDir(new URL(folder, root))) {
      if (name.endsWith(".md")) paths.push(`${folder}/${name}`);
    }
  }
  const all = await Promise.all(
    paths.sort().map(async (path) => ({
      path,
      text: await Deno.readTextFile(new URL(path, root)),
    })),
  );
  return all.filter(({ text }) => !text.startsWith("<!-- Made by"));
}

/** `tidewheel <verb> …` and `deno task <verb> …` in shell blocks and in the fixed font. */
export function commandsOf({ path, text }: Document): NamedCommand[] {
  const found: NamedCommand[] = [];
  for (const { line, code } of shellLines(text)) {
    for (
      const [, verb, rest] of code.matchAll(
        /\b(?:tidewheel|deno(?:@[\d.]+)? task) ([a-z:]+(?:-[a-z]+)*)\b([^`]*)/g,
      )
    ) {
      const command = rest.split(/\s#\s|[;&|]/)[0];
      const options = [...command.matchAll(/(?:^|\s)(--?[a-z][a-z-]*)/g)].map(([, flag]) => flag);
      found.push({ place: `${path}:${line}`, verb, options });
    }
  }
  return found;
}

/** Names of environment variables that are ours, or look like settings. */
export function variablesOf({ text }: Document): string[] {
  return [
    ...new Set(
      [...text.matchAll(/\b(?:TIDEWHEEL|OTEL|AWS|PG)_[A-Z0-9_]+\b|\b[A-Z]+_(?:ENABLED|LEVEL)\b/g)]
        .map(([name]) => name),
    ),
  ];
}

/** Targets of links that are not of the web. */
export function linksOf({ text }: Document): string[] {
  return [...withoutCode(text).matchAll(/\]\(([^)\s]+)\)/g)].map(([, target]) => target)
    .filter((target) => !/^[a-z]+:/.test(target));
}

/** Anchors of a document's headings, as GitHub makes them. */
export function anchorsOf(text: string): string[] {
  return [...withoutCode(text).matchAll(/^#+ (.+)$/gm)].map(([, heading]) =>
    heading.toLowerCase().replace(/[^\p{L}\p{N}_ -]/gu, "").trim().replaceAll(" ", "-")
  );
}

/** Fenced blocks without a language or of the shell, line by line, and pieces in the fixed font. */
function shellLines(text: string): { line: number; code: string }[] {
  const found: { line: number; code: string }[] = [];
  let fence: string | null = null;
  text.split("\n").forEach((line, i) => {
    const opening = /^\s*```(\w*)/.exec(line);
    if (opening) fence = fence === null ? opening[1] : null;
    else if (fence === null) {
      for (const [, code] of line.matchAll(/`([^`]+)`/g)) found.push({ line: i + 1, code });
    } else if (fence === "" || fence === "sh") found.push({ line: i + 1, code: line });
  });
  return found;
}

function withoutCode(text: string): string {
  return text.replace(/^```[\s\S]*?^```/gm, "");
}
