// expect: Property 'sise' does not exist on type
import { dag, expandKwargs, task } from "tidewheel";

dag({ id: "d", schedule: null }, () => {
  const rows = task({ id: "rows" }, () => [{ name: "a", size: 1 }]);
  expandKwargs(rows, ({ sise }) => task({ id: "each", inputs: { sise } }, () => 1));
});
