// expect: Property 'toFixed' does not exist on type 'string'
import { dag, expand, task } from "tidewheel";

dag({ id: "d", schedule: null }, () => {
  const names = task({ id: "names" }, (): string[] => ["a"]);
  expand(names, (name) => task({ id: "each", inputs: { name } }, () => 1), {
    label: (name) => name.toFixed(),
  });
});
