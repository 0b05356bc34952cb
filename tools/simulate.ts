/**
 * @module `deno task simulate`: with a DAG file the verb of that name; with `--runs N` hostile histories
 * of the scheduler itself, as `deno task simulate:histories`.
 */
const isHistories = Deno.args.some((arg) => /^--runs(=|$)/.test(arg));
const program = isHistories ? ["tests/simulation/run.ts"] : ["src/main.ts", "simulate"];

const { code } = await new Deno.Command(Deno.execPath(), {
  args: ["run", "-A", "--quiet", ...program, ...Deno.args],
}).spawn().status;
Deno.exit(code);
