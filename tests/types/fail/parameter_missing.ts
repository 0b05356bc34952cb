// expect: Property 'source' is missing in type '{ id: string; }'
import { dag } from "tidewheel";
import { collect } from "../operators.ts";

dag({ id: "d", schedule: null }, () => {
  collect({ id: "raw" });
});
