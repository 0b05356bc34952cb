/**
 * @module The program: settings → parts → subcommand. Every role and every verb is one of its
 * subcommands; what a verb does not need is not loaded.
 */
import { systemClock } from "./base/clock.ts";
import {
  adminVerbs,
  dataVerbs,
  type Output,
  RestClient,
  runProgram,
  runVerbs,
  type Verb,
} from "./cli/mod.ts";
import { fileOptions } from "./compose/files/flags.ts";
import { apiUrl, clientToken } from "./compose/home.ts";
import { targetNames } from "../operators/convert/formats/names.ts";
import { loadSettings, type Settings } from "./settings.ts";
import config from "../deno.json" with { type: "json" };

/** Version of the product. */
export const version: string = config.version;

let known: Settings | null = null;
const settings = () => known ??= loadSettings();

/** A verb whose module is loaded when it is called. */
function lazy(shape: Omit<Verb, "run">, load: () => Promise<Verb["run"]>): Verb {
  return { ...shape, run: async (...call) => await (await load())(...call) };
}

/** A verb that runs services: they send traces, if they are asked to. */
function service(shape: Omit<Verb, "run">, load: () => Promise<Verb["run"]>): Verb {
  return lazy(shape, async () => {
    const { ensureTelemetry } = await import("./compose/telemetry.ts");
    ensureTelemetry(settings(), shape.name);
    return await load();
  });
}

const portOptions = [
  { flags: "--port <n>", doc: "Port to listen on; the role's own by default" },
];

function role(name: string, summary: string): Verb {
  return service({ name, summary, options: portOptions }, async () => {
    const { runRole } = await import("./compose/roles.ts");
    return (_context, _args, options) => runRole(name, settings(), options);
  });
}

const serviceVerbs: Verb[] = [
  service(
    { name: "start", summary: "Run every service in this process, until Ctrl-C" },
    async () => {
      const { runStart } = await import("./compose/start.ts");
      return (context) => runStart(settings(), context);
    },
  ),
  service(
    {
      name: "demo",
      summary: "Start, run the shipped DAG on the sandbox, and show what came out",
      options: [{ flags: "--once", doc: "Exit when the run has ended" }],
    },
    async () => {
      const { runDemo } = await import("./compose/demo.ts");
      return (context, _args, options) => runDemo(settings(), context, options.once === true);
    },
  ),
  role("api", "Only the API"),
  role("scheduler", "Only the scheduler; several elect a leader"),
  role("parser", "Only the parser of DAG files"),
  role(
    "batch-manager",
    "Only the batch manager: runs of backfills as there is room, and bulk jobs",
  ),
  role("file-manager", "Only the file manager: runs of files that are dropped"),
  role("stream-manager", "Only the stream manager: runs of messages of Kafka topics"),
  role("triggers", "Only the triggers service: what deferred tasks wait for; several share it"),
  service(
    {
      name: "worker",
      summary: "Only a worker; it calls the API at TIDEWHEEL_API_URL",
      options: [
        ...portOptions,
        {
          flags: "--queue <name...>",
          doc: "Queues that it serves; *: all (default: default)",
          many: true,
        },
      ],
    },
    async () => {
      const { runRole } = await import("./compose/roles.ts");
      return (_context, _args, options) => runRole("worker", settings(), options);
    },
  ),
];

const localVerbs: Verb[] = [
  lazy(
    {
      name: "init",
      summary: "Make a repository of one's own, with a first DAG, its test, and CI",
      arguments: [{ name: "<dir>", doc: "A new folder" }],
    },
    async () => (await import("./compose/init.ts")).runInit,
  ),
  lazy(
    {
      name: "test",
      summary: "Check a repository: parse its DAG files, check types and schedules, run its tests",
      arguments: [{ name: "[path]", doc: "Its folder, or one test file; this folder without it" }],
      options: [
        { flags: "--filter <text>", doc: "Only tests whose name has this text" },
        { flags: "--serial", doc: "One test file after the other" },
      ],
    },
    async () => {
      const { runTests } = await import("./compose/test_repository.ts");
      return (context, args, options) => runTests(settings, context, args, options);
    },
  ),
  lazy(
    {
      name: "run",
      summary: "Run a DAG file in this process, without a server",
      arguments: [{ name: "<file>", doc: "DAG file" }],
      options: [
        { flags: "--dag <id>", doc: "Which of its DAGs, where there are several" },
        {
          flags: "--date <time>",
          doc:
            "Date of the interval (a session: its trade date); by default the newest complete one",
        },
        { flags: "--partition <key>", doc: "Of a DAG that waits for datasets: ctx.partition" },
        { flags: "--event <json>", doc: "What a webhook sent, or a message: ctx.event.payload" },
        { flags: "--params <json>", doc: "Parameters of the run; also --conf" },
        { flags: "--conf <json>", doc: "Parameters of the run" },
        {
          flags: "--answer <answer...>",
          doc: 'What a task asks people, as approve_it=Approve, pick=a,b or form={"field": 1}; ' +
            "a terminal is asked for the others",
          many: true,
        },
        { flags: "--task <id>", doc: "Run only this task, on outputs of --inputs" },
        { flags: "--from-task <id>", doc: "Run this task and what comes after it" },
        {
          flags: "--inputs <dir>",
          doc: "Tasks recorded here do not run: they put out what is here",
        },
        { flags: "--replay <dir>", doc: "HTTP and connections from this record, not the network" },
        { flags: "--record <dir>", doc: "Record outputs and HTTP answers here, without secrets" },
        { flags: "--keep <dir>", doc: "Keep outputs and published files in this folder" },
      ],
    },
    async () => (await import("./compose/run_local.ts")).runLocal,
  ),
  lazy(
    {
      name: "simulate",
      summary: "Show which runs a DAG file would have, by the scheduler's own decisions",
      arguments: [{ name: "<file>", doc: "DAG file" }],
      options: [
        { flags: "--dag <id>", doc: "Only this one of its DAGs" },
        { flags: "--from <time>", doc: "When the scheduler first sees the DAG, ISO 8601" },
        { flags: "--to <time>", doc: "Until when, ISO 8601" },
        {
          flags: "--duration <time...>",
          doc: "How long tasks take, such as 5m (each) or load=20m (one); 1m by default",
          many: true,
        },
        { flags: "--history", doc: "Tasks take as long as they did before, says the service" },
        {
          flags: "--down <stretch...>",
          doc: "When no scheduler is up, as 2026-03-01..2026-03-05",
          many: true,
        },
        { flags: "--paused <stretch...>", doc: "When the DAGs are paused", many: true },
        { flags: "--mapped <n>", doc: "Items of each list that tasks are mapped over; 1" },
        { flags: "--svg <file>", doc: "Also draw a picture into this file" },
      ],
    },
    async () => (await import("./compose/simulate.ts")).runSimulate,
  ),
  lazy(
    {
      name: "inspect",
      summary: "Say what is in data files: format, encoding, columns, types, rows",
      arguments: [{
        name: "<files...>",
        doc: "Files, folders, globs, URLs, or - for standard input",
      }],
      options: [
        ...fileOptions,
        { flags: "--rows <n>", doc: "First rows to show", default: "10" },
        { flags: "--raw", doc: "Show personal data, which is masked otherwise" },
      ],
    },
    async () => (await import("./compose/files/inspect.ts")).inspect,
  ),
  lazy(
    {
      name: "convert",
      summary: "Convert data files and account for every row; exit code 2: rows are in " +
        "quarantine, 3: files failed",
      arguments: [{
        name: "<files...>",
        doc: "Files, folders, globs, URLs, or - for standard input",
      }],
      options: [
        { flags: "--to <format>", doc: targetNames.join(", "), default: "parquet" },
        { flags: "--out <dir>", doc: "Folder of the results", default: "." },
        { flags: "--schema <file>", doc: "Declared schema, as JSON; inferred without it" },
        {
          flags: "--on-drift <policy>",
          doc: "Columns that the schema does not have: evolve, freeze, discard, quarantine",
          default: "evolve",
        },
        {
          flags: "--raw",
          doc: "Report refused rows with personal data, which is masked otherwise",
        },
        { flags: "--rules <file>", doc: "Parameters of `quality`, as JSON: rules and bounds" },
        ...fileOptions,
      ],
    },
    async () => (await import("./compose/files/convert.ts")).convert,
  ),
  lazy(
    {
      name: "db",
      summary: "Run SQL on the metadata database (read only unless --write)",
      arguments: [{ name: "[sql]", doc: "Statements; from standard input without it" }],
      options: [
        { flags: "--url", doc: "Print the database's URL, for psql and other tools" },
        { flags: "--write", doc: "Allow statements that change something" },
        { flags: "--limit <n>", doc: "Rows at most", default: "1000" },
      ],
    },
    async () => {
      const { runDb } = await import("./compose/db.ts");
      return (context, args, options) => runDb(settings(), context, args, options);
    },
  ),
  lazy(
    {
      name: "sandbox",
      summary: "Serve vendors with real figures and real manners on this machine",
      options: [{ flags: "--port <n>", doc: "Port; 0: any free one", default: "9010" }],
    },
    async () => (await import("./compose/sandbox.ts")).runSandbox,
  ),
  lazy(
    { name: "doctor", summary: "Check that this machine and installation are well" },
    async () => {
      const { runDoctor } = await import("./compose/doctor.ts");
      return (context) => runDoctor(settings, context);
    },
  ),
];

/** Every verb by heading, in the order of the help page. */
export const verbGroups: Readonly<Record<string, readonly Verb[]>> = {
  "Services:": serviceVerbs,
  "Runs:": runVerbs,
  "Data:": dataVerbs,
  "Installation:": adminVerbs,
  "Without a server:": localVerbs,
};

function output(json: boolean): Output {
  const encoder = new TextEncoder();
  const write = (file: typeof Deno.stdout, text: string) => {
    const bytes = encoder.encode(text);
    for (let at = 0; at < bytes.length;) at += file.writeSync(bytes.subarray(at));
  };
  return {
    json,
    isTerminal: Deno.stdout.isTerminal() && !Deno.noColor,
    out: (text) => write(Deno.stdout, text),
    err: (text) => write(Deno.stderr, text),
  };
}

if (import.meta.main) {
  const code = await runProgram(
    {
      version,
      groups: verbGroups,
      context: (json) => ({
        api: new RestClient({ url: apiUrl(settings()), token: () => clientToken(settings()) }),
        output: output(json),
        sleep: (ms) => systemClock.sleep(ms),
        readStdin: () => new Response(Deno.stdin.readable).text(),
      }),
    },
    Deno.args,
    output(false),
  );
  Deno.exit(code);
}
