/** @module The program itself, started as users start it, on a home and a port of its own. */
import { fileURLToPath } from "node:url";
import { ProductApi } from "./product_api.ts";
import { until } from "./until.ts";

/** The program. */
export const main: string = fileURLToPath(new URL("../../src/main.ts", import.meta.url));

/** Settings of whoever runs the tests are not for the products that they start. */
export const noSettings: Record<string, string> = Object.fromEntries(
  ["DAGS_DIR", "DATABASE_URL", "OBJECTS", "API_URL", "TOKEN", "SECRET_KEY"].map((
    name,
  ) => [`TIDEWHEEL_${name}`, ""]),
);

/** How it is started. */
export interface ProductOptions {
  /** DAG files by path in the dags folder. */
  dags?: Record<string, string>;
  /** Over the environment of the tests. */
  env?: Record<string, string>;
  /** Folder that holds everything; a new one. It is removed at the end in either case. */
  root?: string;
  /** Folder of its state; `home` below the root. */
  home?: string;
}

/** A running product; disposing of it stops it and removes its folders. */
export interface Product extends AsyncDisposable {
  readonly api: ProductApi;
  readonly root: string;
  readonly home: string;
  readonly dagsDir: string;
  readonly url: string;
  readonly token: string;
  readonly pid: number;
  /** Write DAG files. */
  write(files: Record<string, string>): Promise<void>;
  /** Send a signal to the program and wait until it is gone; its exit code. */
  end(signal: "SIGTERM" | "SIGINT" | "SIGKILL"): Promise<Deno.CommandStatus>;
  /** Start it again on the same home. */
  start(): Promise<void>;
  /** What it wrote to its standard error since the first start. */
  output(): Promise<string>;
  /** Process id of its PostgreSQL. */
  postgresPid(): Promise<number>;
}

/** Start the product; resolves when its API answers. */
export async function startProduct(options: ProductOptions = {}): Promise<Product> {
  // Homes have such names too.
  const root = options.root ??
    await Deno.realPath(await Deno.makeTempDir({ prefix: "tw product #1% " }));
  const product = new StartedProduct(root, options);
  await Deno.mkdir(product.dagsDir, { recursive: true });
  await product.write(options.dags ?? {});
  try {
    await product.start();
  } catch (error) {
    await product[Symbol.asyncDispose]();
    throw error;
  }
  return product;
}

/** Run one verb of the program to its end on these settings. */
export async function runVerb(
  args: string[],
  env: Record<string, string>,
): Promise<{ code: number; stdout: string; stderr: string }> {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--quiet", main, ...args],
    env: { ...noSettings, NO_COLOR: "1", ...env },
    cwd: fileURLToPath(new URL("../../", import.meta.url)),
    stdin: "null",
  }).output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  return { code, stdout: text(stdout), stderr: text(stderr) };
}

class StartedProduct implements Product {
  readonly api: ProductApi;
  readonly root: string;
  readonly home: string;
  readonly dagsDir: string;
  url = "";
  token = "";
  readonly #env: Record<string, string>;
  readonly #log: string;
  #process: Deno.ChildProcess | null = null;
  /** Folder of its PostgreSQL. */
  #place = "";

  constructor(root: string, { env = {}, home = `${root}/home` }: ProductOptions) {
    this.root = root;
    this.home = home;
    this.dagsDir = `${root}/dags`;
    this.#log = `${root}/output.log`;
    this.#env = env;
    this.api = new ProductApi(() => ({ url: this.url, token: this.token }));
  }

  get pid(): number {
    return this.#process!.pid;
  }

  async write(files: Record<string, string>): Promise<void> {
    for (const [path, text] of Object.entries(files)) {
      const target = `${this.dagsDir}/${path}`;
      await Deno.mkdir(target.slice(0, target.lastIndexOf("/")), { recursive: true });
      await Deno.writeTextFile(target, text);
    }
  }

  async start(): Promise<void> {
    const before = (await this.output()).length;
    // The shell only opens the file: a pipe would have to be read for as long as the product lives.
    const child = this.#process = new Deno.Command("sh", {
      args: ["-c", 'exec "$@" >>"$LOG" 2>&1', "sh", Deno.execPath()].concat(
        ["run", "-A", "--quiet", main, "start"],
      ),
      env: {
        ...noSettings,
        TIDEWHEEL_HOME: this.home,
        TIDEWHEEL_DAGS_DIR: this.dagsDir,
        TIDEWHEEL_PORT: "0",
        LOG_LEVEL: "INFO",
        NO_COLOR: "1",
        ...this.#env,
        LOG: this.#log,
      },
      cwd: this.root,
      stdin: "null",
      stdout: "null",
      stderr: "null",
    }).spawn();
    child.unref();
    let hasEnded = false;
    child.status.then(() => hasEnded = true);
    const up = await until("the product to say that it is up", async () => {
      const said = (await this.output()).slice(before);
      const url = /Tidewheel is up: (\S+)/.exec(said)?.[1];
      return url || hasEnded ? { url } : null;
    }, { withinMs: 60_000 });
    const pointed = await Deno.readTextFile(`${this.home}/postgres.path`).catch(() => "");
    this.#place = pointed.trim() || `${this.home}/postgres`;
    if (!up.url) throw new Error(`The product did not start: ${await this.output()}`);
    this.url = up.url;
    this.token = (await Deno.readTextFile(`${this.home}/token`)).trim();
  }

  async end(signal: "SIGTERM" | "SIGINT" | "SIGKILL"): Promise<Deno.CommandStatus> {
    const child = this.#process!;
    this.#process = null;
    child.ref();
    try {
      child.kill(signal);
    } catch (error) {
      // It ended by itself.
      if (!(error instanceof TypeError)) throw error;
    }
    return await child.status;
  }

  async output(): Promise<string> {
    return await Deno.readTextFile(this.#log).catch(() => "");
  }

  async postgresPid(): Promise<number> {
    const place = this.#place;
    for await (const { name, isDirectory } of Deno.readDir(place)) {
      if (!isDirectory) continue;
      const text = await Deno.readTextFile(`${place}/${name}/postmaster.pid`).catch(() => "");
      if (text !== "") return Number(text.split("\n")[0]);
    }
    throw new Error(`No PostgreSQL runs in ${place}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#process) await this.end("SIGTERM");
    const place = this.#place;
    // A killed product leaves its server running.
    const pid = await this.postgresPid().catch(() => null);
    if (pid !== null) await until("PostgreSQL to be gone", () => !askToEnd(pid, place));
    for (const path of [place, this.root]) {
      if (path !== "") await Deno.remove(path, { recursive: true }).catch(ignoreMissing);
    }
  }
}

/** False when the server on `place` is gone; the number may be another process's by now. */
function askToEnd(pid: number, place: string): boolean {
  try {
    if (!Deno.readTextFileSync(`/proc/${pid}/cmdline`).includes(place)) return false;
    Deno.kill(pid, "SIGQUIT");
    return true;
  } catch {
    return false;
  }
}

function ignoreMissing(error: unknown): void {
  if (!(error instanceof Deno.errors.NotFound)) throw error;
}
