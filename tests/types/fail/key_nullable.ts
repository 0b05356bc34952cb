// expect: Type '"close"' is not assignable to type '"symbol"'
import { column, table } from "tidewheel";

table("bar", { symbol: column.varchar(), close: column.double().nullable() }, { key: ["close"] });
