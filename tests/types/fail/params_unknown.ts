// expect: Property 'symbl' does not exist on type '{ symbol: string; }'
import { dag } from "tidewheel";
import { z } from "zod";

dag({ id: "d", schedule: null, params: z.object({ symbol: z.string() }) }, ({ task }) => {
  task({ id: "t" }, ({ params }) => params.symbl);
});
