import { assertEquals } from "@std/assert";
import { codeFrame, explainThrown } from "./import_error.ts";

const bundle = { file: "a.ts", bundleDir: "/c/bundles/12", bundleUrl: "file:///c/bundles/12" };

Deno.test("codeFrame() marks the column between two lines before and after", () => {
  assertEquals(
    codeFrame("one\ntwo\nthree\n\tfour = x;\nfive\nsix\nseven", { line: 4, column: 9 }),
    [
      "  2 | two",
      "  3 | three",
      "> 4 | \tfour = x;",
      "    | \t       ^",
      "  5 | five",
      "  6 | six",
    ].join("\n"),
  );
});

Deno.test("codeFrame() stays inside of the source and aligns line numbers", () => {
  const nine = Array.from({ length: 10 }, (_, i) => `l${i + 1}`).join("\n");

  assertEquals(codeFrame("only", { line: 1, column: null }), "> 1 | only");
  assertEquals(
    codeFrame(nine, { line: 9, column: 1 }),
    "   7 | l7\n   8 | l8\n>  9 | l9\n     | ^\n  10 | l10",
  );
  assertEquals(codeFrame("one", { line: 2, column: 1 }), null);
});

Deno.test("codeFrame() cuts long lines", () => {
  const frame = codeFrame("x".repeat(1_000), { line: 1, column: 900 })!;

  assertEquals(frame, "> 1 | " + "x".repeat(160));
});

Deno.test("explainThrown() finds the first place in the bundle and hides local paths", () => {
  const stack = "Error: no file /c/bundles/12/lib/x.csv\n" +
    "    at dag (file:///product/src/sdk/dag.ts:10:3)\n" +
    "    at file:///c/bundles/12/lib/x%20y.ts:7:5";

  assertEquals(
    explainThrown({ name: "Error", message: "no file /c/bundles/12/lib/x.csv", stack }, bundle),
    { message: "no file lib/x.csv", place: { path: "lib/x y.ts", line: 7, column: 5 } },
  );
});

Deno.test("explainThrown() knows no place for an error without one", () => {
  assertEquals(explainThrown({ name: "Error", message: "", stack: "" }, bundle), {
    message: "without a message",
    place: { path: "a.ts", line: null, column: null },
  });
});

Deno.test("explainThrown() takes the place out of a module error's message", () => {
  const message = 'Module not found "file:///c/bundles/12/x.ts".\n' +
    "    at file:///c/bundles/12/a.ts:2:8";

  assertEquals(explainThrown({ name: "TypeError", message, stack: "" }, bundle), {
    message: 'TypeError: Module not found "x.ts".',
    place: { path: "a.ts", line: 2, column: 8 },
  });
});

Deno.test("explainThrown() finds the place in a folder with special characters", () => {
  const odd = {
    file: "a.ts",
    bundleDir: "/c #1% d/bundles/12",
    bundleUrl: "file:///c%20%231%25%20d/bundles/12",
  };
  for (const root of [odd.bundleUrl, `file://${odd.bundleDir}`]) {
    const stack = `Error: no\n    at ${root}/lib/x.ts:2:7`;
    assertEquals(
      explainThrown({ name: "Error", message: "no", stack }, odd).place,
      { path: "lib/x.ts", line: 2, column: 7 },
    );
  }
});
