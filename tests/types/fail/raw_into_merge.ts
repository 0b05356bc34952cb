// expect: is not assignable to type 'Ref<Table<
// expect: is missing the following properties from type '{ kind: "table"
import { dag } from "tidewheel";
import { collect, merge } from "../operators.ts";

dag({ id: "d", schedule: null }, () => {
  const raw = collect({ id: "raw", source: "acme" });
  merge({ id: "merge", from: [raw], key: [], resolve: { lastWriteWins: true } });
});
