// expect: Type '(facts: RunFacts<Record<string, unknown>>) => number' is not assignable to type 'Param<string>'
import { dag } from "tidewheel";
import { z } from "zod";
import { collect } from "../operators.ts";

dag({ id: "d", schedule: null, params: z.object({ depth: z.int() }) }, ({ fromRun }) => {
  collect({ id: "raw", source: fromRun(({ params }) => params.depth) });
});
