// expect: Type '"updated_at"' is not assignable to type
import { dag } from "tidewheel";
import { Bar, collect, convert, merge } from "../operators.ts";

dag({ id: "d", schedule: null }, () => {
  const bars = convert({ id: "a", from: collect({ id: "raw", source: "acme" }), schema: Bar });
  merge({ id: "m", from: [bars], key: ["symbol"], resolve: { lastWriteWins: "updated_at" } });
});
