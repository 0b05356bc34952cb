// expect: Type 'string' is not assignable to type 'number'
import { operator, type OperatorRun } from "tidewheel";
import { z } from "zod";

const run: OperatorRun<{ lines: number }, Record<never, never>, number> = ({ params }) =>
  Promise.resolve({ kind: "done", output: params.lines });

operator({
  name: "text.head",
  summary: "Keep the first lines",
  params: z.object({ lines: z.string() }),
  output: z.int(),
  load: () => Promise.resolve({ run }),
});
