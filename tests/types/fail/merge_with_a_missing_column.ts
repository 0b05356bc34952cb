// expect: Type '"extra"' is not assignable to type '"id"'
import { column, dag, table } from "tidewheel";
import { collect, convert, merge } from "../operators.ts";

const A = table("a", { id: column.varchar(), extra: column.int64() });
const B = table("b", { id: column.varchar() });

dag({ id: "d", schedule: null }, () => {
  const from = collect({ id: "raw", source: "acme" });
  merge({
    id: "merge",
    from: [convert({ id: "a", from, schema: A }), convert({ id: "b", from, schema: B })],
    key: ["id"],
    resolve: { lastWriteWins: true },
  });
});
