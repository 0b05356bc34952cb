// expect: Property 'before' does not exist on type 'Ref<"a">'
import { dag, expand, task } from "tidewheel";

dag({ id: "d", schedule: null }, () => {
  const last = task({ id: "last" }, () => 1);
  expand(["a"], (letter) => {
    letter.before(last);
    return task({ id: "each", inputs: { letter } }, () => 1);
  });
});
