// expect: Type '"DECIMAL(18,2)"' is not assignable to type '"DECIMAL(18,4)"'
import { column, dag, table } from "tidewheel";
import { Bar, collect, convert, merge } from "../operators.ts";

const Coarse = table("coarse", {
  symbol: column.varchar(),
  date: column.date(),
  close: column.decimal(18, 2).nullable(),
  volume: column.int64().nullable(),
});

dag({ id: "d", schedule: null }, () => {
  const from = collect({ id: "raw", source: "acme" });
  const fine = convert({ id: "fine", from, schema: Bar });
  const coarse = convert({ id: "coarse", from, schema: Coarse });
  merge({ id: "merge", from: [fine, coarse], key: ["symbol"], resolve: { lastWriteWins: true } });
});
