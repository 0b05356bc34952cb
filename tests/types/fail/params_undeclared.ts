// expect: is of type 'unknown'
import { dag, task } from "tidewheel";

dag({ id: "d", schedule: null }, () => {
  task({ id: "t" }, ({ params }) => params.symbol.length);
});
