// expect: Type '"VARCHAR"' is not assignable to type '"VARCHAR NOT NULL"'
import { column, dag, table } from "tidewheel";
import { collect, convert, merge } from "../operators.ts";

const A = table("a", { id: column.varchar() });
const B = table("b", { id: column.varchar().nullable() });

dag({ id: "d", schedule: null }, () => {
  const from = collect({ id: "raw", source: "acme" });
  merge({
    id: "merge",
    from: [convert({ id: "a", from, schema: A }), convert({ id: "b", from, schema: B })],
    key: ["id"],
    resolve: { lastWriteWins: true },
  });
});
