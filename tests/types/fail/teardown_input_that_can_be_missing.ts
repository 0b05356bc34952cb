// expect: 'cluster' is possibly 'null'
import { dag, task } from "tidewheel";

dag({ id: "d", schedule: null }, () => {
  const cluster = task({ id: "up" }, () => ({ url: "x" }));
  task({ id: "down", inputs: { cluster }, teardown: { setups: cluster } }, (_ctx, { cluster }) => cluster.url);
});
