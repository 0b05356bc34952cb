// expect: 'weeks' does not exist in type
import { dag, task } from "tidewheel";

dag({ id: "d", schedule: null }, () => {
  task({ id: "t", retryDelay: { weeks: 1 } }, () => 1);
});
