/**
 * @module Settings: defaults, over them `tidewheel.yaml`, over it the environment.
 *
 * Every setting has one name in YAML (camelCase) and one in the environment (listed beside it).
 */
import { parse as parseYaml } from "yaml";
import { z } from "zod";
import { limits } from "./base/limits.ts";
import { AppError } from "./model/errors.ts";

const flag = z.union([z.boolean(), z.stringbool()]);
const number = z.coerce.number();

/** A list in YAML; with commas in the environment. */
function list<T extends z.ZodType>(item: T) {
  const split = (text: string) => text.split(",").map((part) => part.trim()).filter(Boolean);
  return z.preprocess(
    (given) => typeof given === "string" ? split(given) : given,
    z.array(item),
  );
}

const hostName = z.string().toLowerCase().regex(
  /^(\*|[^\s:/@[\]]+|\[[0-9a-f:.]+\])$/,
  "must be host names, without scheme and port, or *",
);

const origin = z.string().transform((text, context) => {
  const url = URL.parse(text);
  if (url && /^https?:$/.test(url.protocol) && url.href === `${url.origin}/`) return url.origin;
  context.addIssue({
    code: "custom",
    message: `must be origins, as in https://ops.example.com; "${text}" is none`,
  });
  return z.NEVER;
}).pipe(z.string());

/** The environment variable of each setting is in its `env`. */
export const Settings = z.strictObject({
  home: z.string().default("./.tidewheel").meta({
    env: "TIDEWHEEL_HOME",
    doc: "Folder of all state: database, objects, logs, token",
  }),
  port: number.int().min(0).max(65535).default(9000).meta({
    env: "TIDEWHEEL_PORT",
    doc: "Port of the API; 0: any free one",
  }),
  host: z.string().default("127.0.0.1").meta({
    env: "TIDEWHEEL_HOST",
    doc: "Address that the API and the health routes listen on",
  }),
  allowedHosts: list(hostName).default([]).meta({
    env: "TIDEWHEEL_ALLOWED_HOSTS",
    doc: "Names that the API may be reached by, beside localhost, 127.0.0.1 and [::1]; *: any. " +
      "In the environment with commas",
  }),
  allowedOrigins: list(origin).default([]).meta({
    env: "TIDEWHEEL_ALLOWED_ORIGINS",
    doc: "Other origins whose pages may call the API, as in https://ops.example.com. " +
      "In the environment with commas",
  }),
  metricsPort: number.int().min(0).max(65535).nullable().default(null).meta({
    env: "TIDEWHEEL_METRICS_PORT",
    doc: "Port of /metrics alone, where a role has a process of its own; null: the role's",
  }),
  dagsDir: z.string().default("./dags").meta({ env: "TIDEWHEEL_DAGS_DIR", doc: "DAG files" }),
  databaseUrl: z.string().nullable().default(null).meta({
    env: "TIDEWHEEL_DATABASE_URL",
    doc: "postgres://…; null: an embedded PostgreSQL under `home`",
    secret: true,
  }),
  objects: z.string().nullable().default(null).meta({
    env: "TIDEWHEEL_OBJECTS",
    doc: "file:///… or s3://bucket/prefix?endpoint=…; null: `home`/objects",
  }),
  apiUrl: z.string().nullable().default(null).meta({
    env: "TIDEWHEEL_API_URL",
    doc: "Where clients and workers find the API; null: http://127.0.0.1:<port>",
  }),
  token: z.string().nullable().default(null).meta({
    env: "TIDEWHEEL_TOKEN",
    doc: "Token of clients and workers; null: `home`/token",
    secret: true,
  }),
  secretKey: z.string().nullable().default(null).meta({
    env: "TIDEWHEEL_SECRET_KEY",
    doc: "Master key of stored secrets and tokens, base64; several with commas, the newest " +
      "first; null: `home`/secret.key",
    secret: true,
  }),
  environment: z.string().default("development").meta({
    env: "ENVIRONMENT",
    doc: "Name of the deployment, on every log line, trace and metric",
  }),
  logLevel: z.string().toUpperCase().pipe(z.enum(["DEBUG", "INFO", "WARN", "ERROR"]))
    .default("INFO").meta({ env: "LOG_LEVEL", doc: "Least level that is written" }),
  prometheusEnabled: flag.default(true).meta({
    env: "PROMETHEUS_ENABLED",
    doc: "Count, and serve /metrics; false: /metrics is not there",
  }),
  jaegerEnabled: flag.default(false).meta({
    env: "JAEGER_ENABLED",
    doc: "Send traces over OTLP to OTEL_EXPORTER_OTLP_ENDPOINT",
  }),
  workerSlots: number.int().min(1).max(1024).default(16).meta({
    env: "TIDEWHEEL_WORKER_SLOTS",
    doc: "Attempts that one worker runs at a time",
  }),
  warmChildren: number.int().min(0).max(64).default(4).meta({
    env: "TIDEWHEEL_WARM_CHILDREN",
    doc: "Idle task processes kept for the next attempt",
  }),
  heartbeatTimeoutMs: number.int().min(1_000).max(3_600_000).default(limits.heartbeatTimeoutMs)
    .meta({
      env: "TIDEWHEEL_HEARTBEAT_TIMEOUT_MS",
      doc:
        "Attempts whose worker says nothing for this long are lost and queued again. The same for " +
        "schedulers and workers, which say something six times within it",
    }),
  pausedAtCreation: flag.default(false).meta({
    env: "TIDEWHEEL_PAUSED_AT_CREATION",
    doc: "New DAGs wait until somebody unpauses them",
  }),
  image: z.string().nullable().default(null).meta({
    env: "TIDEWHEEL_IMAGE",
    doc: "Container image that this is, with its digest; kept with each run that it runs",
  }),
  retentionDays: number.int().min(1).default(90).meta({
    env: "TIDEWHEEL_RETENTION_DAYS",
    doc: "Runs older than this go, unless a kept dataset version came from them",
  }),
});
/** See {@link Settings}. */
export type Settings = z.output<typeof Settings>;

/** Where settings are read from. */
export interface SettingsSources {
  env: Readonly<Record<string, string | undefined>>;
  /** Text of `tidewheel.yaml`, if there is one. */
  yaml?: string;
}

/** Read the settings; throws INVALID with the setting's name, its source and what it may be. */
export function readSettings({ env, yaml }: SettingsSources): Settings {
  const fromFile = yaml ? parseFile(yaml) : {};
  const fromEnv: Record<string, string> = {};
  for (const [name, variable] of settingVariables()) {
    const value = env[variable];
    if (value !== undefined && value !== "") fromEnv[name] = value;
  }
  const parsed = Settings.safeParse({ ...fromFile, ...fromEnv });
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  const name = String(issue.path[0] ?? (issue as { keys?: string[] }).keys?.[0] ?? "");
  const source = name in fromEnv
    ? `environment variable ${new Map(settingVariables()).get(name)}`
    : "tidewheel.yaml";
  throw new AppError("INVALID", `Cannot use setting "${name}" of ${source}: ${issue.message}`, {
    detail: { setting: name },
  });
}

/** [setting, environment variable] of every setting. */
export function settingVariables(): [string, string][] {
  return Object.entries(Settings.shape).map(([name, shape]) => [
    name,
    String((shape as z.ZodType).meta()?.env),
  ]);
}

/** `tidewheel.yaml` of the working folder over the environment of this process. */
export function loadSettings(): Settings {
  let yaml: string | undefined;
  try {
    yaml = Deno.readTextFileSync("tidewheel.yaml");
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  return readSettings({ env: Deno.env.toObject(), yaml });
}

function parseFile(yaml: string): Record<string, unknown> {
  let parsed: unknown;
  try {
    parsed = parseYaml(yaml);
  } catch (error) {
    throw new AppError("INVALID", `Cannot read tidewheel.yaml: ${(error as Error).message}`);
  }
  if (parsed === null || parsed === undefined) return {};
  if (typeof parsed !== "object" || Array.isArray(parsed)) {
    throw new AppError("INVALID", "Cannot read tidewheel.yaml: it must be a map of settings");
  }
  return parsed as Record<string, unknown>;
}
