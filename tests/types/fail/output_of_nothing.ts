// expect: 'sent' is possibly 'null'
import { dag, task } from "tidewheel";

dag({ id: "d", schedule: null }, () => {
  const sent = task({ id: "send" }, () => {});
  task({ id: "report", inputs: { sent } }, (_ctx, { sent }) => sent.toString());
});
