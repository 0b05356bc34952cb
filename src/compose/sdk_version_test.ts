import { assertEquals } from "@std/assert";
import { satisfies } from "./sdk_version.ts";

Deno.test("satisfies() reads versions as the registry does", () => {
  const cases: [string, string, boolean][] = [
    ["0.1.0", "^0.1.0", true],
    ["0.1.4", "^0.1.0", true],
    ["0.2.0", "^0.1.0", false],
    ["0.1.0", "^0.1.1", false],
    ["1.4.0", "^1.2.3", true],
    ["2.0.0", "^1.2.3", false],
    ["0.0.4", "^0.0.3", false],
    ["1.2.9", "~1.2.3", true],
    ["1.3.0", "~1.2.3", false],
    ["1.2.3", "1.2.3", true],
    ["1.2.4", "1.2.3", false],
    ["1.2.4", "1.2", true],
    ["1.2.4", "*", true],
    ["1.2.4", ">=1", false],
  ];
  for (const [version, range, fits] of cases) {
    assertEquals(satisfies(version, range), fits, `${version} ${range}`);
  }
});
