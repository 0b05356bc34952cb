/** @module Verbs of the command line as people call them, on the API of a test. */
import { RestClient } from "../../src/cli/client.ts";
import { runProgram } from "../../src/cli/program.ts";
import type { Verb } from "../../src/cli/verb.ts";
import type { ApiWorld } from "./api.ts";

/** `tidewheel <verb> …` as an administrator of the world: its exit code and what it wrote. */
export async function runCli(
  w: ApiWorld,
  verb: Verb,
  args: readonly string[] = [],
  { stdin = "" }: { stdin?: string } = {},
): Promise<{ code: number; out: string; err: string }> {
  const wrote = { out: "", err: "" };
  const output = {
    json: args.includes("--json"),
    isTerminal: false,
    out: (text: string) => void (wrote.out += text),
    err: (text: string) => void (wrote.err += text),
  };
  await using server = Deno.serve({ port: 0, onListen() {} }, (request) => w.api.fetch(request));
  const url = `http://127.0.0.1:${server.addr.port}`;
  const code = await runProgram(
    {
      version: "1",
      groups: { "": [verb] },
      context: () => ({
        api: new RestClient({ url, token: () => w.tokens.admin }),
        output,
        sleep: () => Promise.resolve(),
        readStdin: () => Promise.resolve(stdin),
      }),
    },
    [verb.name, ...args],
    output,
  );
  return { code, ...wrote };
}
