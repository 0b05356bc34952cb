// expect: NotJson<"bigint: return it as a string">
import { dag, task } from "tidewheel";

dag({ id: "d", schedule: null }, () => {
  task({ id: "t" }, async () => await Promise.resolve({ sizes: [1n] }));
});
