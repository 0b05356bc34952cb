// expect: Property 'month' does not exist on type
import { dag, expand, task } from "tidewheel";

dag({ id: "d", schedule: null }, () => {
  expand({ name: ["a"], day: [1] }, ({ month }) => task({ id: "each", inputs: { month } }, () => 1));
});
