import { assert, assertEquals } from "@std/assert";
import { formatNames } from "./names.ts";
import {
  isSameFormat,
  manners,
  measure,
  specimens,
  taken,
} from "../../../tests/support/recognition.ts";

const soh = (text: string) => text.replaceAll("|", "\x01");
const nacha = [
  "101 091000019 1234567892403010930A094101FIRST BANK             COMPANY                        ",
  "5220COMPANY                             1234567890PPDPAYROLL         240301   1091000010000001",
  "62209100001912345678901      0000010000EMPLOYEE 1     JOHN DOE                0091000010000001",
];
/** Small files of text formats, as they are in the wild. */
const samples: readonly { format: string | null; text: string }[] = [
  { format: "csv", text: "symbol,date,close\nAAPL,2024-01-02,185.64\nMSFT,2024-01-02,370.87\n" },
  {
    format: "csv",
    text: "Datum;Kurs;Volumen\n02.01.2024;1.234,50;1000\n03.01.2024;1.250,00;900\n",
  },
  { format: "csv", text: "a|b|c\n1|2|3\n4|5|6\n" },
  {
    format: "csv",
    text: '"isin","name"\n"US0378331005","Apple Inc., Cupertino"\n"DE0007164600","SAP"\n',
  },
  { format: "csv", text: "isin\nUS0378331005\nDE0007164600\n" },
  {
    format: "csv",
    text: "id,note\n1,This is a nice product and I like it\n2,Not so good at all for me\n",
  },
  { format: "csv", text: 'id,doc\n1,"{""a"":1}"\n2,"[1,2]"\n' },
  {
    format: "csv",
    text: "Report of trades\nCreated: 2024-01-02\n\nid,px\n1,2.5\n2,3.5\n3,4.5\n4,4\n5,6\n",
  },
  { format: "tsv", text: "symbol\tclose\nAAPL\t185.64\nMSFT\t370.87\n" },
  { format: "json", text: '{"data": [{"a": 1}, {"a": 2}]}' },
  { format: "json", text: '[\n  {"a": 1},\n  {"a": 2}\n]\n' },
  { format: "json", text: '{\n "a": 1,\n "b": [1, 2]\n}\n' },
  { format: "ndjson", text: '{"a":1,"b":"x"}\n{"a":2,"b":"y"}\n' },
  { format: "ndjson", text: '{"a":1}\n{"a":2}\n{"b":{"c":[1,2]}}' },
  { format: "yaml", text: "name: eod\nsymbols:\n  - AAPL\n  - MSFT\nlimits:\n  rows: 10\n" },
  { format: "yaml", text: "---\n- id: 1\n  px: 2.5\n- id: 2\n  px: 3.5\n" },
  {
    format: "xml",
    text: '<?xml version="1.0"?>\n<trades><trade id="1"><px>2.5</px></trade></trades>\n',
  },
  { format: "xml", text: "<!-- made by hand -->\n<trades>\n<trade/></trades>" },
  {
    format: "iso20022",
    text: '<?xml version="1.0" encoding="UTF-8"?><Document ' +
      'xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.08"><BkToCstmrStmt/></Document>',
  },
  {
    format: "html",
    text:
      "<!DOCTYPE html><html><body><table><tr><th>a</th></tr><tr><td>1</td></tr></table></body></html>",
  },
  {
    format: "ofx",
    text: "OFXHEADER:100\r\nDATA:OFXSGML\r\nVERSION:102\r\nSECURITY:NONE\r\nENCODING:USASCII\r\n" +
      "CHARSET:1252\r\nCOMPRESSION:NONE\r\nOLDFILEUID:NONE\r\nNEWFILEUID:NONE\r\n\r\n<OFX><SIGNONMSGSRSV1>",
  },
  {
    format: "qif",
    text: "!Type:Bank\nD01/02/2024\nT-100.00\nPGrocer\n^\nD01/03/2024\nT50.00\n^\n",
  },
  {
    format: "swift_mt",
    text: "{1:F01BANKDEFFAXXX0000000000}{2:I940BANKDEFFXXXXN}{4:\n:20:REF\n:25:1234\n-}",
  },
  {
    format: "swift_mt",
    text: ":20:STARTUMS\n:25:10020030/1234567\n:28C:00001/001\n:60F:C240101EUR1,00\n",
  },
  {
    format: "fix",
    text: soh("8=FIX.4.4|9=73|35=D|49=A|56=B|34=1|52=20240102-09:30:00.000|11=1|55=AAPL|10=100|\n"),
  },
  {
    format: "fix",
    text: soh(
      "2024-01-02 09:30:00 OUT 8=FIX.4.2|9=61|35=0|49=A|56=B|34=2|52=20240102-09:30:00|10=100|\n",
    )
      .repeat(2),
  },
  {
    format: "bai2",
    text: "01,122099999,123456789,240301,0200,1,,,2/\n02,031001234,122099999,1,240301,,USD,2/\n",
  },
  { format: "nacha", text: `${nacha.join("\n")}\n` },
  {
    format: "bloomberg",
    text:
      "START-OF-FILE\nPROGRAMNAME=getdata\nSTART-OF-FIELDS\nPX_LAST\nEND-OF-FIELDS\nSTART-OF-DATA\n" +
      "AAPL US Equity|0|1|185.64|\nEND-OF-DATA\nEND-OF-FILE\n",
  },
  {
    format: null,
    text:
      "Permission is hereby granted, free of charge, to any person obtaining a copy of this software.\n" +
      "The above copyright notice shall be included in all copies or portions of the Software.\n",
  },
  {
    format: null,
    text: "# A heading\n\nSome words about what this is, and more of them in a line.\n\n- one\n",
  },
  {
    format: null,
    text: "import { x } from 'y';\n\nexport function f(a: number) {\n  return a + 1;\n}\n",
  },
];

const known: ReadonlySet<string> = new Set(formatNames);

Deno.test("small files are taken for what they are, whatever they are called", async (t) => {
  const dir = await Deno.makeTempDir();
  try {
    const encoder = new TextEncoder();
    for (const { format, text } of samples) {
      if (format !== null && !known.has(format)) continue;
      await t.step(`${format}: ${JSON.stringify(text.slice(0, 50))}`, async () => {
        for (const name of ["data", "data.bin", "data.dat", "data.log"]) {
          const found = await taken(encoder.encode(text), name, dir);
          assert(isSameFormat(found, format), `${name} is taken for ${found}`);
        }
        // A wrong ending outweighs no structure.
        const isList = format === null || text.split("\n")[0] === "isin";
        if (isList) return;
        for (const name of ["data.json", "data.csv", "data.xml", "data.parquet", "data.txt"]) {
          const found = await taken(encoder.encode(text), name, dir);
          assert(isSameFormat(found, format), `${name} is taken for ${found}`);
        }
        if (format === "fix") return; // It is bytes: its fields may have encodings of their own.
        const wide = new Uint8Array(
          Uint16Array.from(`\ufeff${text}`, (char) => char.charCodeAt(0)).buffer,
        );
        assertEquals(isSameFormat(await taken(wide, "data", dir), format), true, "as UTF-16");
      });
    }

    await t.step("noise is nothing that is known", async () => {
      let state = 42;
      const noise = (length: number) =>
        Uint8Array.from({ length }, () => (state = (state * 1103515245 + 12345) % 2 ** 31) >> 16);
      for (const length of [64, 100, 500, 5000, 70_000]) {
        for (let i = 0; i < 20; i++) {
          assertEquals(await taken(noise(length), "data", dir), null, `${length} bytes, ${i}`);
        }
      }
      assertEquals(await taken(new Uint8Array(4096), "data", dir), null);
    });
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
});

const files = await specimens();
Deno.test({
  name: "more than 98 of 100 files of the corpora are taken for what they are",
  ignore: files.length === 0, // TIDEWHEEL_CORPORA has none
  async fn(t) {
    for (const manner of manners) {
      await t.step(manner.name, async () => {
        const { right, all, mistakes } = await measure(manner, files);
        assert(right > 0.98 * all, `${right} of ${all}: ${JSON.stringify([...mistakes])}`);
      });
    }
  },
});
