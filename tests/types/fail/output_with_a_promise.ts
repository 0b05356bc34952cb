// expect: NotJson<"Promise: await it">
import { dag, task } from "tidewheel";

dag({ id: "d", schedule: null }, () => {
  task({ id: "t" }, (ctx) => ({ value: ctx.variable("x") }));
});
