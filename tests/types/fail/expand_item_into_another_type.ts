// expect: Type 'Ref<string>' is not assignable to type 'Ref<{ kind: "raw";
import { dag, task } from "tidewheel";
import { Bar, convert } from "../operators.ts";

dag({ id: "d", schedule: null }, () => {
  const names = task({ id: "names" }, () => ["a"]);
  names.expand((from) => convert({ id: "convert", from, schema: Bar }));
});
