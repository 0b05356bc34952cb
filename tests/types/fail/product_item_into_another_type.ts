// expect: Type 'Ref<number>' is not assignable to type 'Ref<{ kind: "raw";
import { dag, expand, task } from "tidewheel";
import { Bar, convert } from "../operators.ts";

dag({ id: "d", schedule: null }, () => {
  const days = task({ id: "days" }, () => [1, 2]);
  expand({ name: ["a"], days }, ({ days }) => convert({ id: "convert", from: days, schema: Bar }));
});
