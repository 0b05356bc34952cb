// expect: Property 'toFixed' does not exist on type '"a"'
import { dag, group, task } from "tidewheel";

dag({ id: "d", schedule: null }, () => {
  group({ id: "g", over: ["a"] }, (name) => {
    task({ id: "size", inputs: { name } }, (_ctx, { name }) => name.toFixed());
  });
});
