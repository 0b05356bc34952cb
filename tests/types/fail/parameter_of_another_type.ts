// expect: Type 'string' is not assignable to type 'Param<number | undefined>'
import { dag } from "tidewheel";
import { collect } from "../operators.ts";

dag({ id: "d", schedule: null }, () => {
  collect({ id: "raw", source: "acme", pages: "2" });
});
