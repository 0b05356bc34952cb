// expect: The 'this' context of type 'TaskRef<{ symbols: string[]; }>' is not assignable
import { dag, task } from "tidewheel";

dag({ id: "d", schedule: null }, () => {
  const found = task({ id: "find" }, () => ({ symbols: ["A"] }));
  found.expand((symbol) => task({ id: "each", inputs: { symbol } }, () => 1));
});
