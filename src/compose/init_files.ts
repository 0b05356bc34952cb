/** @module The files of a new repository of DAGs. */
import config from "../../deno.json" with { type: "json" };

const jsr = `jsr:${config.name}@^${config.version}`;

/** Where the SDK is linked from, as long as it is on no registry. */
export const linkPath = "vendor/tidewheel";

const program = `deno run -A --quiet --config ${linkPath}/deno.json ${linkPath}/src/main.ts`;

const denoJson = JSON.stringify(
  {
    imports: {
      "tidewheel": jsr,
      "tidewheel/operators": `${jsr}/operators`,
      "tidewheel/testing": `${jsr}/testing`,
      "zod": config.imports.zod,
    },
    links: [`./${linkPath}`],
    exclude: ["vendor/", ".tidewheel/"],
    compilerOptions: config.compilerOptions,
    fmt: { lineWidth: 100, exclude: ["**/*.md", "tests/fixtures/"] },
    tasks: {
      tidewheel: program,
      start: "deno task tidewheel start",
      run: "deno task tidewheel run",
      simulate: "deno task tidewheel simulate",
      test: "deno task tidewheel test",
      ci: "deno fmt --check && deno lint && deno task test",
    },
  },
  null,
  2,
) + "\n";

const dagTs = `/** Euro reference rates of each TARGET day, from the ECB to a published dataset. */
import { column, dag, sessions, table } from "tidewheel";
import { collect, convert, publish } from "tidewheel/operators";
import { z } from "zod";

/** Columns as the ECB names them; decimals stay exact. */
export const Rate = table("ecb_rate", {
  CURRENCY: column.varchar(),
  TIME_PERIOD: column.date(),
  OBS_VALUE: column.decimal(18, 6),
}, { key: ["CURRENCY", "TIME_PERIOD"] });

export default dag({
  id: "ecb_rates",
  description: "Euro reference rates of the day, published as fx.ecb",
  schedule: sessions("TARGET", { before: "close", by: { hours: 1 } }),
  timezone: "Europe/Berlin",
  params: z.object({
    currencies: z.array(z.string().length(3)).min(1).default(["USD", "GBP"]).meta({
      doc: "Currencies to collect",
    }),
  }),
  defaults: { retries: 3, retryDelay: { minutes: 1 }, backoff: "exponential" },
}, ({ fromRun, task }) => {
  const raw = collect.http({
    id: "collect",
    source: "ecb.rates",
    connection: "ecb",
    path: fromRun(({ params }) => \`/service/data/EXR/D.\${params.currencies.join("+")}.EUR.SP00.A\`),
    query: ({ interval }) => ({
      format: "csvdata",
      startPeriod: interval.date,
      endPeriod: interval.date,
    }),
    format: "csv",
  });

  const rates = convert({
    id: "convert",
    from: raw,
    schema: Rate,
    ignore: ["KEY", "FREQ", "CURRENCY_DENOM", "EXR_TYPE", "EXR_SUFFIX"],
  });

  const complete = task({ id: "check", inputs: { rates } }, ({ params }, { rates }) => {
    const missing = params.currencies.length - rates.rows;
    if (missing > 0) throw new Error(\`\${missing} of \${params.currencies.length} rates are missing\`);
    return { rates: rates.rows };
  });

  publish({
    id: "publish",
    from: rates,
    dataset: "fx.ecb",
    partition: ({ interval }) => interval.date,
    after: complete,
  });
});
`;

/** Without packages beside the SDK, so that a first test needs no network. */
const testFile = `import { runDag } from "tidewheel/testing";
import ecbRates from "../dags/ecb_rates.ts";

// Recorded with: deno task run dags/ecb_rates.ts --date 2013-03-01 --record tests/fixtures/ecb_rates
const fixtures = new URL("./fixtures/ecb_rates/", import.meta.url);

Deno.test("a day's rates are collected, converted, checked and published", async () => {
  const run = await runDag(ecbRates, { fixtures });

  equal(run.states, {
    collect: "success",
    convert: "success",
    check: "success",
    publish: "success",
  });
  equal(run.output("check"), { rates: 2 });
  const [version] = run.published.filter(({ dataset }) => dataset === "fx.ecb");
  equal([version.partition, version.rows], ["2013-03-01", 2]);
});

Deno.test("a rate that is missing fails the run before anything is published", async () => {
  const run = await runDag(ecbRates, {
    date: "2013-03-01",
    connections: { ecb: "https://data-api.ecb.europa.eu" },
    http: () => "CURRENCY,TIME_PERIOD,OBS_VALUE\\r\\nUSD,2013-03-01,1.3\\r\\n",
  });

  equal([run.states.check, run.states.publish], ["failed", "upstream_failed"]);
  equal(run.error("check"), "1 of 2 rates are missing");
  equal(run.published.filter(({ dataset }) => dataset === "fx.ecb"), []);
});

function equal(actual: unknown, expected: unknown): void {
  const [a, b] = [actual, expected].map((one) => JSON.stringify(one));
  if (a !== b) throw new Error(\`\${a} is not \${b}\`);
}
`;

const ecb = "https://data-api.ecb.europa.eu";
const recordedRun = JSON.stringify(
  {
    format: 1,
    dag_id: "ecb_rates",
    date: "2013-03-01",
    outputs: {},
    connections: {
      ecb: {
        connType: "http",
        host: "data-api.ecb.europa.eu",
        port: null,
        schema: "https",
        login: null,
        password: null,
        extra: {},
      },
    },
  },
  null,
  2,
) + "\n";
const recordedHttp = JSON.stringify(
  [{
    method: "GET",
    url:
      `${ecb}/service/data/EXR/D.USD+GBP.EUR.SP00.A?format=csvdata&startPeriod=2013-03-01&endPeriod=2013-03-01`,
    status: 200,
    headers: { "content-type": "text/csv" },
    body: [
      "KEY,FREQ,CURRENCY,CURRENCY_DENOM,EXR_TYPE,EXR_SUFFIX,TIME_PERIOD,OBS_VALUE",
      "EXR.D.USD.EUR.SP00.A,D,USD,EUR,SP00,A,2013-03-01,1.3",
      "EXR.D.GBP.EUR.SP00.A,D,GBP,EUR,SP00,A,2013-03-01,0.8647",
      "",
    ].join("\r\n"),
  }],
  null,
  2,
) + "\n";

const readme = (name: string) =>
  `# ${name}

DAGs for [Tidewheel](${linkPath}/README.md). Needs Deno 2.9.

\`\`\`
ln -s /path/to/tidewheel ${linkPath}      # once: the SDK and the program, until they are on JSR
deno task test                          # parse all DAGs, check types, run tests/; no network
deno task run dags/ecb_rates.ts --date 2013-03-01 --replay tests/fixtures/ecb_rates
deno task simulate dags/ecb_rates.ts --from 2026-01-01 --to 2026-12-31
deno task start                         # the service, with these DAGs
\`\`\`

A run on the real source: \`TIDEWHEEL_CONN_ECB=${ecb} deno task run dags/ecb_rates.ts --date 2026-03-02\`;
\`--record tests/fixtures/ecb_rates\` keeps its answers, without secrets, for the tests.

- \`dags/\`: one file or several DAGs a file; see [Writing DAGs](${linkPath}/docs/guides/authoring.md)
- \`tests/\`: \`runDag\` of \`tidewheel/testing\` runs a DAG on recorded answers
- \`deno.json\`: the SDK's version. A program of another version refuses these DAGs and says so. Once the package is on JSR,
  take \`links\` and \`${linkPath}\` out; nothing else changes.
- \`tidewheel.yaml\`: settings of the service
- \`.github/workflows/ci.yml\`: the same checks for each push
`;

const workflow = `name: ci
on: [push, pull_request]
jobs:
  test:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v4
      # Until the SDK is on JSR: set the variable TIDEWHEEL_REPOSITORY to its owner/name.
      - uses: actions/checkout@v4
        with:
          repository: \${{ vars.TIDEWHEEL_REPOSITORY }}
          path: ${linkPath}
      - uses: denoland/setup-deno@v2
        with:
          deno-version: v${Deno.version.deno}
      - run: deno task ci
`;

const settings = `# Settings of the service; each is also an environment variable.
home: ./.tidewheel
dagsDir: ./dags
`;

/** The files by path, for a repository of this name. */
export function repositoryFiles(name: string): Record<string, string> {
  return {
    "deno.json": denoJson,
    "README.md": readme(name),
    ".gitignore": ".tidewheel/\nvendor/\n.env\n",
    ".github/workflows/ci.yml": workflow,
    "tidewheel.yaml": settings,
    "dags/ecb_rates.ts": dagTs,
    "tests/ecb_rates_test.ts": testFile,
    "tests/fixtures/ecb_rates/run.json": recordedRun,
    "tests/fixtures/ecb_rates/http.json": recordedHttp,
  };
}
