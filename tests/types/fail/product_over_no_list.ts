// expect: is not assignable to type
import { dag, expand, task } from "tidewheel";

dag({ id: "d", schedule: null }, () => {
  const found = task({ id: "find" }, () => ({ symbols: ["A"] }));
  expand({ found, day: [1] }, () => task({ id: "each" }, () => 1));
});
