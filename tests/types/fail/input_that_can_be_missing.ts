// expect: 'counted' is possibly 'null'
import { dag, task } from "tidewheel";

dag({ id: "d", schedule: null }, () => {
  const counted = task({ id: "count" }, () => ({ rows: 1 }));
  task(
    { id: "report", inputs: { counted }, triggerRule: "none_failed" },
    (_ctx, { counted }) => counted.rows,
  );
});
