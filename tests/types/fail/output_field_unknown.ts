// expect: Property 'row' does not exist on type '{ rows: number; }'
import { dag, task } from "tidewheel";

dag({ id: "d", schedule: null }, () => {
  const counted = task({ id: "count" }, () => ({ rows: 1 }));
  task({ id: "report", inputs: { counted } }, (_ctx, { counted }) => counted.row);
});
