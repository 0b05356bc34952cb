// expect: NotJson<"Date: return date.toISOString()">
import { dag, task } from "tidewheel";

dag({ id: "d", schedule: null }, () => {
  task({ id: "t" }, (ctx) => ({ rows: 1, since: ctx.interval.start }));
});
