// expect: NotJson<"Date: return date.toISOString()">
import { dag, expand, task } from "tidewheel";

dag({ id: "d", schedule: null }, () => {
  expand([new Date(0)], (day) => task({ id: "each", inputs: { day } }, () => 1));
});
