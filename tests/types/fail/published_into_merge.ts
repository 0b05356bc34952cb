// expect: is not assignable to type 'Ref<Table<
import { dag } from "tidewheel";
import { Bar, collect, convert, merge, publish } from "../operators.ts";

dag({ id: "d", schedule: null }, () => {
  const bars = convert({ id: "a", from: collect({ id: "raw", source: "acme" }), schema: Bar });
  const published = publish({ id: "publish", from: bars, dataset: "prices.daily" });
  merge({ id: "m", from: [bars, published], key: ["symbol"], resolve: { lastWriteWins: true } });
});
