// expect: Type 'RefValue<number>' is not assignable to type 'Param<string>'
import { dag, task } from "tidewheel";
import { collect } from "../operators.ts";

dag({ id: "d", schedule: null }, () => {
  const page = task({ id: "page" }, () => ({ number: 1 }));
  collect({ id: "raw", source: page.value((p) => p.number) });
});
