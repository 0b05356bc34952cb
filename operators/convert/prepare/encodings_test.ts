import { assert, assertEquals, assertThrows } from "@std/assert";
import iconv from "iconv-lite";
import { detectEncoding, type EncodingFinding } from "./detect.ts";
import { encodingNamed } from "./encodings.ts";
import { gatherEvidence } from "./evidence.ts";
import { declaredEncoding } from "./declared.ts";

/** Texts as they are in files of trades and companies, by the encodings that they come in. */
const texts: readonly { encodings: string[]; text: string }[] = [
  {
    encodings: ["windows-1252", "iso-8859-15", "cp850", "cp437", "macintosh"],
    text: "id;name;city\n1;Münchener Rückversicherung;München\n2;Süßwaren Köln;Düsseldorf\n",
  },
  {
    encodings: ["windows-1252", "cp850", "macintosh"],
    text: "id,name,note\n1,Société Générale,créée à Paris\n2,L'Oréal,bénéfice élevé\n",
  },
  { encodings: ["windows-1252", "cp850"], text: "id;emisor\n1;Telefónica España\n2;Año señal\n" },
  { encodings: ["windows-1252"], text: "id;name\n1;Åsa Öberg\n2;Göteborg\n3;Ærø Brød\n" },
  { encodings: ["windows-1252"], text: "a,b\n1,“quoted” – 5 €\n2,it’s fine\n" },
  { encodings: ["windows-1252", "cp850"], text: "id;banco\n1;São Paulo ação\n2;preço à vista\n" },
  {
    encodings: ["windows-1250", "iso-8859-2", "cp852"],
    text: "id;spółka;miasto\n1;Żabka Polska;Łódź\n2;Bank Śląski;Gdańsk\n3;Spółka Akcyjna;Kraków\n",
  },
  {
    encodings: ["windows-1250", "iso-8859-2", "cp852"],
    text: "id;název;město\n1;Česká spořitelna;Praha\n2;Účetní závěrka;Plzeň\n3;příjmení;Děčín\n",
  },
  {
    encodings: ["windows-1250", "iso-8859-2", "cp852"],
    text: "id;név;város\n1;Magyar Külkereskedelmi Bank;Győr\n2;Részvénytőke;Szűcs\n3;ügyfél;Pécs\n",
  },
  {
    encodings: ["windows-1251", "koi8-r", "iso-8859-5", "ibm866"],
    text: "код;имя;город\n1;Сбербанк России;Москва\n2;Газпром нефть;Санкт-Петербург\n",
  },
  {
    encodings: ["windows-1251"],
    text: "код;назва\n1;ПриватБанк Україна\n2;Київ, єдиний рахунок\n",
  },
  {
    encodings: ["windows-1253", "iso-8859-7"],
    text: "α/α;όνομα\n1;Εθνική Τράπεζα της Ελλάδος\n2;Αθήνα, λογαριασμός\n",
  },
  {
    encodings: ["windows-1254"],
    text: "no;adı;şehir\n1;Türkiye İş Bankası;İstanbul\n2;Şişe Cam;Eskişehir\n3;Doğuş;Iğdır\n",
  },
  { encodings: ["windows-1255"], text: "מספר,שם\n1,בנק הפועלים\n2,תל אביב\n" },
  { encodings: ["windows-1256"], text: "رقم,اسم\n1,البنك الأهلي\n2,الرياض\n" },
  {
    encodings: ["windows-1257"],
    text:
      "nr;nosaukums\n1;Latvijas Banka, Rīga\n2;Šiaulių bankas, Vilnius\n3;Tīrā peļņa, Jūrmala\n",
  },
  {
    encodings: ["shift_jis", "euc-jp", "iso-2022-jp"],
    text: "番号,銘柄,市場\n7203,トヨタ自動車,東証プライム\n6758,ソニーグループ,東京\n",
  },
  { encodings: ["gb18030", "gbk"], text: "代码,名称\n600519,贵州茅台\n601398,中国工商银行\n" },
  { encodings: ["big5"], text: "代號,名稱\n2330,台灣積體電路製造\n2317,鴻海精密工業\n" },
  { encodings: ["euc-kr"], text: "코드,종목명\n005930,삼성전자\n000660,에스케이하이닉스\n" },
  { encodings: ["utf-16le", "utf-16be", "utf-32le", "utf-32be"], text: "id,name\n1,Zoë\n2,贵州\n" },
];

async function detected(bytes: Uint8Array, declared: string | null = null) {
  const stretches = (async function* () {
    yield await Promise.resolve({ offset: 0, bytes });
  })();
  const evidence = await gatherEvidence(stretches, AbortSignal.any([]));
  return detectEncoding(evidence, declared);
}

function decoded(bytes: Uint8Array, { name, markBytes }: EncodingFinding): string {
  return encodingNamed(name, "it").decoder(true).decode(bytes.subarray(markBytes));
}

function encoded(text: string, encoding: string): Uint8Array {
  if (encoding !== "iso-2022-jp") return iconv.encode(text, encoding);
  // The package has no encoder for it: the same bytes as EUC-JP without their high bits, escaped.
  const bytes: number[] = [];
  // deno-lint-ignore no-control-regex
  for (const run of text.match(/[\x00-\x7f]+|[^\x00-\x7f]+/g)!) {
    const euc = iconv.encode(run, "euc-jp");
    if (euc[0] < 0x80) bytes.push(...euc);
    else bytes.push(0x1b, 0x24, 0x42, ...euc.map((byte) => byte & 0x7f), 0x1b, 0x28, 0x42);
  }
  return Uint8Array.from(bytes);
}

Deno.test("detectEncoding() reads small files of many languages as they were written", async (t) => {
  for (const { encodings, text } of texts) {
    for (const encoding of encodings) {
      const bytes = encoded(text, encoding);
      await t.step(`${encoding}: ${text.split("\n")[1]}`, async () => {
        const found = await detected(bytes);
        assertEquals(decoded(bytes, found), text, JSON.stringify(found));
      });
    }
  }
});

Deno.test("detectEncoding() takes marks, valid UTF-8 and ASCII for what they are", async () => {
  const bytes = new TextEncoder().encode("id,name\n1,Zoë\n");
  assertEquals((await detected(bytes)).name, "utf-8");
  assertEquals((await detected(new TextEncoder().encode("id\n1\n"))).name, "utf-8");
  for (const encoding of ["utf-8", "utf-16le", "utf-16be", "utf-32le", "utf-32be"]) {
    const marked = iconv.encode("id,name\n1,Zoë\n", encoding, { addBOM: true });
    const found = await detected(marked);
    assertEquals([found.name, found.by], [encoding, "mark"]);
    assertEquals(decoded(marked, found), "id,name\n1,Zoë\n");
  }
});

Deno.test("detectEncoding() keeps to UTF-8 where few lines are in another encoding", async () => {
  const good = new TextEncoder().encode("1,Zoë\n2,Köln\n3,Łódź\n");
  const found = await detected(Uint8Array.of(...good, 0x34, 0x2c, 0xfc, 0x0a));
  assertEquals([found.name, found.runnerUp?.name], ["utf-8", "windows-1252"]);
  assert(found.confidence < 0.9);
});

Deno.test("detectEncoding() follows what a text says of itself, unless its bytes deny it", async () => {
  const xml = (encoding: string) => `<?xml version="1.0" encoding="${encoding}"?><a>Œ ¤ €</a>`;
  const bytes = iconv.encode(xml("ISO-8859-15").replace(" ¤", ""), "iso-8859-15");
  const found = await detected(bytes, declaredEncoding(bytes));
  assertEquals([found.name, found.by], ["iso-8859-15", "declaration"]);
  const utf8 = new TextEncoder().encode(xml("ISO-8859-1"));
  assertEquals((await detected(utf8, declaredEncoding(utf8))).name, "utf-8");
});

Deno.test("encodingNamed() knows usual labels and says which are known", () => {
  const names = ["UTF8", "latin-1", "cp932", "ms936", "IBM850", "ucs-2", "utf-32", "cp037"];
  const known = names.map((label) => {
    try {
      return encodingNamed(label, "it").name;
    } catch {
      return null;
    }
  });
  const expected = ["utf-8", "windows-1252", "shift_jis", "gbk", "cp850", "utf-16le", "utf-32le"];
  assertEquals(known, [...expected, null]);
  assertThrows(() => encodingNamed("klingon", "x.csv"), Error, 'there is no encoding "klingon"');
});
