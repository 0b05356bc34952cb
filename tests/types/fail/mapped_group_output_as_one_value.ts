// expect: Property 'toFixed' does not exist on type 'number[]'
import { dag, group, task } from "tidewheel";

dag({ id: "d", schedule: null }, () => {
  const size = group({ id: "g", over: ["a"] }, (name) =>
    task({ id: "size", inputs: { name } }, (_ctx, { name }) => name.length));
  task({ id: "sum", inputs: { size } }, (_ctx, { size }) => size.toFixed());
});
