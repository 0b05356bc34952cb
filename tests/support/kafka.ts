/** @module A real Kafka of one node, from Maven's jars, for tests. */
import { systemClock } from "../../src/base/clock.ts";

const VERSION = "3.9.1";

/** A running broker; disposing of it ends it and removes its data. */
export interface KafkaServer extends AsyncDisposable {
  /** `127.0.0.1:port`. */
  broker: string;
}

const pom = `<project xmlns="http://maven.apache.org/POM/4.0.0">
<modelVersion>4.0.0</modelVersion><groupId>test</groupId><artifactId>kafka</artifactId><version>1</version>
<dependencies>
<dependency><groupId>org.apache.kafka</groupId><artifactId>kafka_2.13</artifactId><version>${VERSION}</version></dependency>
<dependency><groupId>org.slf4j</groupId><artifactId>slf4j-simple</artifactId><version>1.7.36</version></dependency>
</dependencies></project>`;

/** Its jars, kept between runs. */
async function jars(): Promise<string> {
  const temp = Deno.env.get("TMPDIR")?.replace(/\/$/, "") || "/tmp";
  const dir = `${temp}/tidewheel-kafka-${VERSION}-${Deno.uid()}`;
  if (await Deno.stat(`${dir}/ready`).catch(() => null)) return `${dir}/lib`;
  await Deno.mkdir(dir, { recursive: true });
  await Deno.writeTextFile(`${dir}/pom.xml`, pom);
  const { success, stdout } = await new Deno.Command("mvn", {
    args: ["-q", "-f", `${dir}/pom.xml`, "dependency:copy-dependencies", "-DoutputDirectory=lib"],
    cwd: dir,
  }).output();
  if (!success) throw new Error(`Maven could not fetch Kafka: ${new TextDecoder().decode(stdout)}`);
  await Deno.writeTextFile(`${dir}/ready`, "");
  return `${dir}/lib`;
}

function freePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return listener.addr.port;
}

/** Start one; resolves when it takes connections. */
export async function startKafka(): Promise<KafkaServer> {
  const lib = await jars();
  const dir = await Deno.makeTempDir({ prefix: "tw_kafka_" });
  const [port, control] = [freePort(), freePort()];
  const properties = {
    "process.roles": "broker,controller",
    "node.id": 1,
    "controller.quorum.voters": `1@127.0.0.1:${control}`,
    "listeners": `PLAINTEXT://127.0.0.1:${port},CONTROLLER://127.0.0.1:${control}`,
    "controller.listener.names": "CONTROLLER",
    "log.dirs": `${dir}/data`,
    "offsets.topic.replication.factor": 1,
    "offsets.topic.num.partitions": 1,
    "transaction.state.log.replication.factor": 1,
    "transaction.state.log.min.isr": 1,
    "group.initial.rebalance.delay.ms": 0,
  };
  const config = `${dir}/server.properties`;
  await Deno.writeTextFile(
    config,
    Object.entries(properties).map(([name, value]) => `${name}=${value}\n`).join(""),
  );
  const java = (args: string[]) =>
    new Deno.Command("java", {
      args: ["-Xmx384m", "-XX:+UseSerialGC", "-cp", `${lib}/*`, ...args],
      stdin: "null",
      stdout: "null",
      stderr: "null",
    });
  const id = "AAAAAAAAAAAAAAAAAAAAAA";
  const formatted = await java(["kafka.tools.StorageTool", "format", "-t", id, "-c", config])
    .output();
  if (!formatted.success) throw new Error("Kafka could not format its folder");
  const server = java(["kafka.Kafka", config]).spawn();
  for (let i = 0;; i++) {
    const connection = await Deno.connect({ hostname: "127.0.0.1", port }).catch(() => null);
    connection?.close();
    if (connection) break;
    if (i > 600) throw new Error("Kafka did not come up within a minute");
    await systemClock.sleep(100);
  }
  return {
    broker: `127.0.0.1:${port}`,
    async [Symbol.asyncDispose]() {
      server.kill("SIGKILL");
      await server.status;
      await Deno.remove(dir, { recursive: true });
    },
  };
}
