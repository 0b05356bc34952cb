// expect: Type '"evening"' is not assignable to type
import { branch, dag, task } from "tidewheel";

dag({ id: "d", schedule: null }, () => {
  const morning = task({ id: "morning" }, () => 1);
  branch({ id: "pick", to: { morning } }, () => "evening");
});
