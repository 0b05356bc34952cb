// expect: Type 'Date' is not assignable to type 'string'
import { dag } from "tidewheel";
import { collect } from "../operators.ts";

dag({ id: "d", schedule: null }, () => {
  collect({ id: "raw", source: ({ interval }) => interval.start });
});
