import { assertEquals } from "@std/assert";
import { startProduct } from "../support/product.ts";

/** The client of Airflow 3 that is tried. */
const CLIENT = "apache-airflow-client==3.3.2";

const dags = {
  "client_check.ts": `import { chain, dag, expand, task } from "tidewheel";
import { z } from "zod";

export default dag({
  id: "client_check",
  schedule: null,
  owner: "desk",
  tags: ["client"],
  params: z.object({ symbol: z.string().default("IBM"), sleep: z.boolean().default(false) }),
  defaults: { retries: 0 },
}, ({ task }) => {
  const hello = task({ id: "hello" }, async ({ log, params, signal }) => {
    log.info("hello " + params.symbol);
    if (params.sleep) await new Promise((resolve) => signal.addEventListener("abort", resolve));
    return params.symbol;
  });
  task({ id: "shaky", inputs: { hello } }, async ({ variable }) => {
    if (await variable("client_ready") !== "yes") throw new Error("not ready");
  });
  const list = task({ id: "list" }, () => [1, 2, 3]);
  expand(list, (n) => task({ id: "each", inputs: { n } }, ({ log }, { n }) => {
    log.info("item " + n);
    return n;
  }));
});
`,
  "client_daily.ts": `import { dag, task } from "tidewheel";

export default dag({ id: "client_daily", schedule: "@daily", start: "2026-01-01" }, () => {
  task({ id: "nothing" }, () => null);
});
`,
  "client_waits.ts": `import { dag, onDatasets, task } from "tidewheel";

export default dag({ id: "client_waits", schedule: onDatasets("client.prices", "client.rates") }, () => {
  task({ id: "nothing" }, () => null);
});
`,
};

/** A Python with the client in a folder of its own, kept between runs. */
async function clientPython(): Promise<string> {
  const temp = Deno.env.get("TMPDIR")?.replace(/\/$/, "") || "/tmp";
  const venv = `${temp}/tidewheel-${CLIENT.replaceAll("=", "-")}-${Deno.uid()}`;
  const python = `${venv}/bin/python`;
  if (await Deno.stat(`${venv}/ready`).catch(() => null)) return python;
  await run("python3", ["-m", "venv", "--clear", venv]);
  await run(python, ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", CLIENT]);
  await Deno.writeTextFile(`${venv}/ready`, "");
  return python;
}

async function run(program: string, args: string[]) {
  const { success, stdout, stderr } = await new Deno.Command(program, { args }).output();
  const said = new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr);
  if (!success) throw new Error(`${program} ${args.join(" ")}: ${said}`);
  return said;
}

Deno.test("the published client of Airflow 3 lists, triggers, waits, clears and reads logs", async () => {
  const python = await clientPython();
  await using product = await startProduct({ dags });
  const script = new URL("./airflow_client_test.py", import.meta.url).pathname;
  const said = await run(python, [script, product.url, product.token]).catch(async (error) => {
    throw new Error(`${error.message}\nThe product said:\n${await product.output()}`);
  });
  assertEquals(said.trim().split("\n").at(-1), "ok materialize", said);
});
