// expect: Type 'number' is not assignable to type 'string'
import { dag, task } from "tidewheel";
import { z } from "zod";

dag({ id: "d", schedule: null }, () => {
  task({ id: "t", output: z.object({ name: z.string() }) }, () => ({ name: 5 }));
});
