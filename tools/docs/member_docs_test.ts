import { assertEquals, assertThrows } from "@std/assert";
import { memberDocs } from "./member_docs.ts";

const source = `/** Bounds. */
export const limits = {
  /** First. */
  a: 1,
  /**
   * Over
   * two lines.
   */
  b: 2,
  c: 3,
} as const;
const other = {
  d: 4,
};
`;

Deno.test("memberDocs() reads comments of one or more lines; one can stand for several members", () => {
  assertEquals(memberDocs(source, "const limits"), [
    { name: "a", doc: "First." },
    { name: "b", doc: "Over two lines." },
    { name: "c", doc: "Over two lines." },
  ]);
});

Deno.test("memberDocs() says when there is no such declaration", () => {
  assertThrows(() => memberDocs(source, "const limit5"), Error, 'no line has "const limit5"');
});
