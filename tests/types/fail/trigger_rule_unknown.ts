// expect: Type '"all_ok"' is not assignable to type
import { dag, task } from "tidewheel";

dag({ id: "d", schedule: null }, () => {
  task({ id: "t", triggerRule: "all_ok" }, () => 1);
});
