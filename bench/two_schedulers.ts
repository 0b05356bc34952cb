/**
 * @module The shapes of the pipeline on a deployment: two schedulers, an API and a worker, each a
 * process of its own, on one PostgreSQL.
 */
import { deploy } from "../tests/support/deployment.ts";
import { type Figure, pipelineDags, pipelineShapes } from "./pipeline.ts";
import { type Caller, listed } from "./service.ts";

/** Without the shapes of fresh processes, which have nothing to do with schedulers. */
export async function twoSchedulersBench(): Promise<Figure[]> {
  await using all = await deploy({ dags: pipelineDags, schedulers: 2, workers: 1 });
  const bench: Caller = {
    async call<T>(method: string, path: string, body?: unknown): Promise<T> {
      const answer = await all.api.call<T>(method, path, { body });
      if (answer.status < 400) return answer.body;
      throw new Error(`${method} ${path}: ${answer.status} ${JSON.stringify(answer.body)}`);
    },
  };
  await bench.call("POST", "/api/v2/pools", { name: "wide", slots: -1 });
  await listed(bench, Object.keys(pipelineDags).length);
  return await pipelineShapes(bench, all.sql);
}
