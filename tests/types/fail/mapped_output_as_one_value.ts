// expect: Property 'rows' does not exist on type '{ rows: number; }[]'
import { dag, expand, task } from "tidewheel";

dag({ id: "d", schedule: null }, () => {
  const counted = expand(["a", "b"], () => task({ id: "count" }, () => ({ rows: 1 })));
  task({ id: "report", inputs: { counted } }, (_ctx, { counted }) => counted.rows);
});
