import { assertEquals, assertThrows } from "@std/assert";
import { HttpFailure } from "./failure.ts";
import { firstPage, nextLink, nextPage, type PageSeen } from "./paging.ts";
import { Paging } from "./paging_params.ts";

function seen(document: unknown, more: Partial<PageSeen> = {}): PageSeen {
  return { document, headers: new Headers(), records: 2, recordsSoFar: 2, ...more };
}

Deno.test("nextPage() counts pages until one has no records", () => {
  const paging = Paging.parse({ kind: "page", first: 0, sizeParam: "per_page", size: 2 });
  const first = firstPage(paging);
  const second = nextPage(paging, first, seen([]))!;

  assertEquals(first.query, { page: "0", per_page: "2" });
  assertEquals(second.query, { page: "1", per_page: "2" });
  assertEquals(nextPage(paging, second, seen([], { records: 0 })), null);
});

Deno.test("nextPage() goes on after a short page unless told that it is the last", () => {
  const paging = { kind: "offset", limit: 10 } as const;
  const safe = Paging.parse(paging);
  const short = Paging.parse({ ...paging, shortPageLast: true });

  assertEquals(nextPage(safe, firstPage(safe), seen([]))!.query, { offset: "2", limit: "10" });
  assertEquals(nextPage(short, firstPage(short), seen([])), null);
});

Deno.test("nextPage() follows a cursor in the body until there is none", () => {
  const paging = Paging.parse({ kind: "cursor", pointer: "/meta/next", param: "cursor" });
  const inBody = Paging.parse({ kind: "cursor", header: "x-next", param: "after", in: "body" });
  const second = nextPage(paging, firstPage(paging), seen({ meta: { next: "a/b" } }))!;
  const headers = new Headers({ "x-next": "77" });

  assertEquals(second.query, { cursor: "a/b" });
  assertEquals(nextPage(paging, second, seen({ meta: { next: null } })), null);
  assertThrows(
    () => nextPage(paging, second, seen({ meta: { next: "a/b" } })),
    HttpFailure,
    "just",
  );
  assertEquals(nextPage(inBody, firstPage(inBody), seen(null, { headers }))!.body, { after: "77" });
});

Deno.test("nextPage() follows links in the body and in the Link header", () => {
  const byHeader = Paging.parse({ kind: "link" });
  const byBody = Paging.parse({ kind: "link", pointer: "/next" });
  const headers = new Headers({ link: '</a?page=1>; rel="prev", </a?page=3>; rel="next"' });

  assertEquals(nextPage(byHeader, firstPage(byHeader), seen(null, { headers }))!.url, "/a?page=3");
  assertEquals(nextPage(byBody, firstPage(byBody), seen({ next: "/b" }))!.url, "/b");
  assertEquals(nextPage(byBody, firstPage(byBody), seen({})), null);
});

Deno.test("nextPage() stops at the stated total and at the flag for more", () => {
  const total = Paging.parse({ kind: "page", total: "/n" });
  const more = Paging.parse({ kind: "page", more: "/more" });

  assertEquals(nextPage(total, firstPage(total), seen({ n: "2" })), null);
  assertEquals(nextPage(total, firstPage(total), seen({ n: 3 }))!.page, 2);
  assertThrows(() => nextPage(total, firstPage(total), seen({})), HttpFailure, "no number");
  assertEquals(nextPage(more, firstPage(more), seen({ more: false })), null);
  assertEquals(nextPage(more, firstPage(more), seen({ more: true }, { records: null }))!.page, 2);
});

Deno.test("nextPage() says so when it cannot tell the last page, or there are too many", () => {
  const paging = Paging.parse({ kind: "page", pagesMax: 1 });

  assertThrows(
    () => nextPage(paging, firstPage(paging), seen([])),
    HttpFailure,
    "there are more than 1 pages",
  );
  assertThrows(
    () =>
      nextPage({ ...paging, pagesMax: 9 } as Paging, firstPage(paging), seen(1, { records: null })),
    HttpFailure,
    "cannot be counted",
  );
});

Deno.test("nextLink() reads what RFC 8288 allows", () => {
  assertEquals(nextLink(null), null);
  assertEquals(nextLink("<https://x.org/?a=1,2>; rel=next"), "https://x.org/?a=1,2");
  assertEquals(nextLink('<u>; title="a, b"; rel="last next"'), "u");
  assertEquals(nextLink('<u>; rel="nextpage"'), null);
});
