import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { corpus } from "../../../../tests/support/corpora.ts";
import { XmlError } from "./error.ts";
import { BadBytes, XmlInput } from "./input.ts";
import type { XmlName } from "./namespaces.ts";
import { XmlParser } from "./parser.ts";

/** The document as Clark's canonical form writes it, without instructions; skipped entities apart. */
function canonical(document: string | Uint8Array, chunkBytes = 1 << 18) {
  const bytes = typeof document === "string" ? new TextEncoder().encode(document) : document;
  let at = 0;
  const input = new XmlInput((into) => {
    if (at === bytes.length) return null;
    const part = bytes.subarray(at, at + Math.min(chunkBytes, into.length));
    into.set(part);
    at += part.length;
    return part.length;
  });
  let text = "";
  const skipped: string[] = [];
  const open: string[] = [];
  const parser = new XmlParser(input, {
    start(name, attributes) {
      open.push(nameOf(name));
      const sorted: string[] = [];
      for (let i = 0; i < attributes.length; i += 2) {
        const value = escaped(attributes[i + 1] as string);
        sorted.push(` ${nameOf(attributes[i] as XmlName)}="${value}"`);
      }
      text += `<${nameOf(name)}${sorted.toSorted().join("")}>`;
    },
    text: (piece) => text += escaped(piece),
    end: () => text += `</${open.pop()}>`,
    skipped: (entity) => skipped.push(entity),
  });
  while (parser.advance());
  return { text, skipped };
}

const nameOf = ({ prefix, local }: XmlName) => prefix === "" ? local : `${prefix}:${local}`;

function escaped(text: string): string {
  const named: Record<string, string> = { "&": "amp", "<": "lt", ">": "gt", '"': "quot" };
  return text.replace(/[&<>"]/g, (sign) => `&${named[sign]};`)
    .replace(/[\t\n\r]/g, (sign) => `&#${sign.charCodeAt(0)};`);
}

/** Why a document is refused, and at which byte; null when it is not. */
function refusal(document: string | Uint8Array, chunkBytes?: number) {
  try {
    canonical(document, chunkBytes);
    return null;
  } catch (error) {
    if (error instanceof BadBytes) return { why: "its bytes are not UTF-8", offset: -1 };
    if (!(error instanceof XmlError)) throw error;
    return { why: error.why, offset: error.offset };
  }
}

const suite = corpus("xmltest");
/** Names that the first four editions did not allow and the fifth does. */
const wellFormedSince = new Set(["not-wf/sa/140.xml", "not-wf/sa/141.xml"]);

Deno.test({
  name: "XmlParser refuses what is not well-formed and reads what is valid (James Clark's cases)",
  ignore: suite === null, // TIDEWHEEL_CORPORA has no xmltest
  fn() {
    for (const folder of ["not-wf/sa", "valid/sa", "valid/not-sa", "valid/ext-sa", "invalid"]) {
      for (const { name } of Deno.readDirSync(`${suite}/xmltest/${folder}`)) {
        if (!name.endsWith(".xml")) continue;
        const id = `${folder}/${name}`;
        const document = utf8(Deno.readFileSync(`${suite}/xmltest/${id}`));
        const isRefused = folder === "not-wf/sa" && !wellFormedSince.has(id);
        const whole = refusal(document);
        assertEquals(whole !== null, isRefused, `${id}: ${whole?.why}`);
        // Wherever the window ends.
        for (const chunkBytes of [1, 7]) assertEquals(refusal(document, chunkBytes), whole, id);
        if (folder !== "valid/sa") continue;
        const out = Deno.readTextFileSync(`${suite}/xmltest/${folder}/out/${name}`)
          .replace(/<\?.*?\?>/gs, "").replace(/^<!DOCTYPE.*?\]>\n/s, "");
        assertEquals(canonical(document).text, out, id);
      }
    }
  },
});

/** UTF-16 is decoded before a document is read. */
function utf8(bytes: Uint8Array): Uint8Array {
  const mark = bytes[0] << 8 | bytes[1];
  if (mark !== 0xfeff && mark !== 0xfffe) return bytes;
  const label = mark === 0xfeff ? "utf-16be" : "utf-16le";
  return new TextEncoder().encode(new TextDecoder(label).decode(bytes));
}

Deno.test("XmlParser names what is wrong, at its byte", () => {
  const cases: [document: string, offset: number, why: string][] = [
    ["", 0, "it ends before its first element"],
    ["<é><b></é>", 7, "</é> stands where </b> must"],
    ["<a>\u{1f600}&x;</a>", 7, 'the entity "x" is not declared'],
    ["<a b='1' b='2'/>", 0, 'the attribute "b" stands twice'],
    ["<a xmlns:p='u' xmlns:q='u' p:b='1' q:b='2'/>", 0, 'the attribute "b" stands twice'],
    ["<p:a/>", 0, 'the prefix "p" of "p:a" is bound to no namespace'],
    ["<a>x]]></a>", 4, '"]]>" stands in a text'],
    ["<a/><b/>", 4, "there is more behind its last element"],
    ["<a>\x00</a>", 3, "a character that no document may have"],
    ["<a b='<'/>", 6, '"<" stands in the value'],
    ["<!DOCTYPE a [<!ELEMENT a (b,c|d)>]><a/>", 29, "all commas, or all bars"],
    ["<a><![CDATA[x", 13, "it ends within a CDATA section"],
    ["\n<?xml version='1.0'?><a/>", 1, "<?xml stands elsewhere"],
  ];
  for (const [document, offset, why] of cases) {
    const found = refusal(document);
    assertStringIncludes(found?.why ?? "", why, document);
    assertEquals(found?.offset, offset, document);
  }
});

Deno.test("XmlParser reads XML 1.1: line ends, controls as references, prefixes unbound", () => {
  const document = "<?xml version='1.1'?><a>x\x85y\u2028z&#1;</a>";
  assertEquals(canonical(document).text, "<a>x&#10;y&#10;z\x01</a>");
  assertStringIncludes(refusal("<?xml version='1.1'?><a>\x86</a>")!.why, "control character");
  const unbound = "<a xmlns:p='u'><b xmlns:p=''/></a>";
  assertEquals(refusal(`<?xml version='1.1'?>${unbound}`), null);
  assertStringIncludes(refusal(unbound)!.why, "bound to nothing");
});

Deno.test("XmlParser bounds what entities stand for, and the depth of elements and entities", () => {
  const lol = Array.from(
    { length: 9 },
    (_, i) => `<!ENTITY l${i + 1} "${`&l${i};`.repeat(10)}">`,
  ).join("");
  const bomb = (where: string) => `<!DOCTYPE a [<!ENTITY l0 "lol">${lol}]>${where}`;
  assertStringIncludes(refusal(bomb("<a>&l9;</a>"))!.why, "as in an attack");
  assertStringIncludes(refusal(bomb("<a b='&l9;'/>"))!.why, "as in an attack");
  const long = `<!DOCTYPE a [<!ENTITY x "${"x".repeat(50_000)}">]><a>${"&x;".repeat(50_000)}</a>`;
  assertStringIncludes(refusal(long)!.why, "as in an attack");
  assertStringIncludes(refusal("<a>".repeat(100_000))!.why, "deep");
  const chain = Array.from({ length: 100 }, (_, i) => `<!ENTITY e${i + 1} "&e${i};">`).join("");
  const deep = `<!DOCTYPE a [<!ENTITY e0 "x">${chain}]><a>&e100;</a>`;
  assertStringIncludes(refusal(deep)!.why, "deep");
  const circle = '<!DOCTYPE a [<!ENTITY x "&y;"><!ENTITY y "&x;">]><a>&x;</a>';
  assertStringIncludes(refusal(circle)!.why, "refers to itself");
  const defaults = Array.from({ length: 2000 }, (_, i) => `a${i} CDATA "v"`).join(" ");
  const brought = `<!DOCTYPE r [<!ATTLIST e ${defaults}>]><r>${"<e/>".repeat(20_000)}</r>`;
  assertStringIncludes(refusal(brought)!.why, "entities and defaults stand for more");
  const names = Array.from({ length: 200_001 }, (_, i) => `<n${i}/>`).join("");
  assertStringIncludes(refusal(`<r>${names}</r>`)!.why, "different names");
  const scopes = Array.from({ length: 20_001 }, (_, i) => `<e xmlns="u${i}"/>`).join("");
  assertStringIncludes(refusal(`<r>${scopes}</r>`)!.why, "different sets of namespaces");
  const model = `<!DOCTYPE a [<!ELEMENT a ${"(".repeat(5000)}`;
  assertStringIncludes(refusal(model)!.why, "deep");
});

Deno.test("XmlParser fetches nothing: entities from outside are skipped, and told of", () => {
  const outside = '<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>1&x;2</a>';
  assertEquals(canonical(outside), { text: "<a>12</a>", skipped: ["x"] });
  // What is declared behind an unread parameter entity does not count, unless nothing may be.
  const cut = (more: string) =>
    `<?xml version="1.0"${more}?><!DOCTYPE a [<!ENTITY % p SYSTEM "p">%p;` +
    `<!ATTLIST a b CDATA "c">]><a>&unknown;</a>`;
  assertEquals(canonical(cut("")), { text: "<a></a>", skipped: ["unknown"] });
  assertStringIncludes(refusal(cut(' standalone="yes"'))!.why, "not declared");
});

Deno.test("XmlParser refuses a document that is cut after any of its bytes", () => {
  const document = `<?xml version="1.0"?>\n<!DOCTYPE a [<!-- é --><!ENTITY e "<b>1</b>">` +
    `<!ATTLIST a n NMTOKENS " x  y ">]>\n<a é="1 &lt; 2"><![CDATA[<]]>&e;<?p i?><c/>é</a>`;
  const bytes = new TextEncoder().encode(document);
  assertEquals(canonical(document).text, '<a n="x y" é="1 &lt; 2">&lt;<b>1</b><c></c>é</a>');
  for (let length = 0; length < bytes.length; length++) {
    let isRefused = false;
    try {
      canonical(bytes.subarray(0, length));
    } catch {
      isRefused = true;
    }
    assert(isRefused, `after ${length} bytes`);
  }
  assertThrows(() => canonical(new Uint8Array([0x3c, 0x61, 0x3e, 0xff])));
});
