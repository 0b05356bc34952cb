import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import {
  convertedTexts,
  damage,
  errorOf,
  readWith,
} from "../../../../tests/support/format_call.ts";
import { tableContext } from "../../../../tests/support/table_context.ts";
import { AppError } from "../../../../src/model/errors.ts";
import { sdmx } from "./mod.ts";

const namespaces = `xmlns:mes="http://www.sdmx.org/resources/sdmxml/schemas/v2_1/message" ` +
  `xmlns:gen="http://www.sdmx.org/resources/sdmxml/schemas/v2_1/data/generic" ` +
  `xmlns:com="http://www.sdmx.org/resources/sdmxml/schemas/v2_1/common"`;
const header = `<mes:Header><mes:ID>1</mes:ID><mes:Structure structureID="S" ` +
  `dimensionAtObservation="TIME_PERIOD"><com:Structure><Ref agencyID="ECB" id="EXR" version="1.0"/>` +
  `</com:Structure></mes:Structure></mes:Header>`;

const generic = `<mes:GenericData ${namespaces}>${header}` +
  `<mes:DataSet action="Replace" structureRef="S">` +
  `<gen:Group type="Sibling"><gen:GroupKey><gen:Value id="CURRENCY" value="USD"/></gen:GroupKey>` +
  `<gen:Attributes><gen:Value id="TITLE" value="Dollar"/></gen:Attributes></gen:Group>` +
  ["USD", "JPY"].map((currency) =>
    `<gen:Series><gen:SeriesKey><gen:Value id="FREQ" value="D"/><gen:Value id="CURRENCY" ` +
    `value="${currency}"/></gen:SeriesKey><gen:Attributes><gen:Value id="DECIMALS" value="4"/>` +
    `</gen:Attributes>` +
    ["2026-01-02", "2026-01-05"].map((day) =>
      `<gen:Obs><gen:ObsDimension value="${day}"/><gen:ObsValue value="1.1000"/><gen:Attributes>` +
      `<gen:Value id="OBS_STATUS" value="A"/></gen:Attributes></gen:Obs>`
    ).join("") + `</gen:Series>`
  ).join("") + `</mes:DataSet></mes:GenericData>`;

const specific = `<mes:StructureSpecificData ${namespaces} ` +
  `xmlns:ss="http://www.sdmx.org/resources/sdmxml/schemas/v2_1/data/structurespecific" ` +
  `xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">${header}<mes:DataSet ss:structureRef="S" ` +
  `ss:action="Replace" xsi:type="x"><Group xsi:type="g" CURRENCY="USD" TITLE="Dollar"/>` +
  ["USD", "JPY"].map((currency) =>
    `<Series FREQ="D" CURRENCY="${currency}" DECIMALS="4"><Obs TIME_PERIOD="2026-01-02" ` +
    `OBS_VALUE="1.1000" OBS_STATUS="A"/><Obs TIME_PERIOD="2026-01-05" OBS_VALUE="1.1000" ` +
    `OBS_STATUS="A"/></Series>`
  ).join("") + `</mes:DataSet></mes:StructureSpecificData>`;

const structure = {
  dimensions: {
    dataSet: [{ id: "FREQ", values: [{ id: "D" }] }],
    series: [{ id: "CURRENCY", values: [{ id: "USD" }, { id: "JPY" }] }],
    observation: [{ id: "TIME_PERIOD", values: [{ id: "2026-01-02" }, { id: "2026-01-05" }] }],
  },
  attributes: {
    series: [{ id: "TITLE", values: [{ name: "Dollar" }] }],
    observation: [{ id: "OBS_STATUS", values: [{ id: "A" }] }],
  },
};
const dataSets = `[{"action":"Replace","series":{` +
  `"0":{"attributes":[0],"observations":{"0":[1.1000,0],"1":[12345678901234567890.10,null]}},` +
  `"1":{"attributes":[null],"observations":{"1":[null]}}}}]`;
const json1 = `{"header":{},"dataSets":${dataSets},"structure":${JSON.stringify(structure)}}`;
const json2 = `{"meta":{"schema":"sdmx-json"},"data":{"dataSets":${dataSets},"structures":[${
  JSON.stringify(structure)
}]}}`;

Deno.test("sdmx", async (t) => {
  await using context = await tableContext();
  const dir = context.root;
  const records = async (content: string) => {
    const { columns, rows, format } = await convertedTexts(context, content);
    assertEquals(format, "sdmx");
    return rows.map((row) => Object.fromEntries(row.map((value, i) => [columns[i], value])));
  };
  const first = {
    STRUCTURE_ID: "ECB:EXR(1.0)",
    ACTION: "Replace",
    FREQ: "D",
    CURRENCY: "USD",
    DECIMALS: "4",
    TITLE: "Dollar",
    TIME_PERIOD: "2026-01-02",
    OBS_VALUE: "1.1000",
    OBS_STATUS: "A",
  };

  await t.step("generic and structure-specific markup give the same rows", async () => {
    for (const content of [generic, specific]) {
      const rows = await records(content);
      assertEquals(rows.length, 4);
      assertEquals(rows[0], first);
      assertEquals([rows[3].CURRENCY, rows[3].TITLE, rows[3].TIME_PERIOD], [
        "JPY",
        null,
        "2026-01-05",
      ]);
    }
  });

  await t.step("flat observations, those of 3.0 and of 2.0 are read", async () => {
    const flat = specific.replaceAll(/<Series FREQ="D" CURRENCY="(\w+)" DECIMALS="4">/g, "")
      .replaceAll("</Series>", "").replaceAll("<Obs ", '<Obs FREQ="D" CURRENCY="USD" ');
    assertEquals((await records(flat))[0].TITLE, "Dollar");
    const three =
      `<m:StructureSpecificData xmlns:m="http://www.sdmx.org/resources/sdmxml/schemas/v3_0/` +
      `message"><m:DataSet><Atts UNIT="EUR"/><Obs FREQ="A" OBS_VALUE="2"><Comp id="NOTE"><Value>a</Value>` +
      `<Value>b</Value></Comp></Obs></m:DataSet></m:StructureSpecificData>`;
    assertEquals(await records(three), [
      { UNIT: "EUR", FREQ: "A", OBS_VALUE: "2", NOTE: '["a","b"]' },
    ]);
    const two =
      `<GenericData xmlns="http://www.SDMX.org/resources/SDMXML/schemas/v2_0/message"><DataSet>` +
      `<Series><SeriesKey><Value concept="FREQ" value="A"/></SeriesKey><Obs><Time>2026</Time>` +
      `<ObsValue value="7"/></Obs></Series></DataSet></GenericData>`;
    assertEquals(await records(two), [{ FREQ: "A", TIME_PERIOD: "2026", OBS_VALUE: "7" }]);
  });

  await t.step("JSON 1.0 and 2.0: indexes become values, numbers keep their digits", async () => {
    for (const content of [json1, json2]) {
      const rows = await records(content);
      assertEquals(rows.map((row) => [row.CURRENCY, row.TIME_PERIOD, row.TITLE]), [
        ["USD", "2026-01-02", "Dollar"],
        ["USD", "2026-01-05", "Dollar"],
        ["JPY", "2026-01-05", null],
      ]);
      assertEquals(rows[2].OBS_VALUE, null);
      assert(rows[0].OBS_VALUE!.startsWith("1.10"));
      assert(rows[1].OBS_VALUE!.startsWith("12345678901234567890.10"));
      assertEquals([rows[0].FREQ, rows[0].OBS_STATUS, rows[1].OBS_STATUS], ["D", "A", null]);
    }
  });

  await t.step("CSV is read as it is, labels of columns fall away", async () => {
    const content = "DATAFLOW,FREQ: Frequency,TIME_PERIOD: Time,OBS_VALUE: Value\n" +
      "ECB:EXR(1.0),D: Daily,2026-01-02,1.10\nECB:EXR(1.0),D: Daily,2026-01-05,1.20\n";
    assertEquals((await records(content))[1], {
      DATAFLOW: "ECB:EXR(1.0)",
      FREQ: "D: Daily",
      TIME_PERIOD: "2026-01-05",
      OBS_VALUE: "1.20",
    });
  });

  await t.step("what a service says instead of data, or beside it, fails the file", async () => {
    const cases: [string, string][] = [
      [
        generic.replace(
          "</mes:GenericData>",
          '<f:Footer xmlns:f="f"><f:Message code="413" severity="Error"><com:Text>Too large' +
            "</com:Text></f:Message></f:Footer></mes:GenericData>",
        ),
        "its service says 413: Too large",
      ],
      [
        `<mes:Error ${namespaces}><mes:ErrorMessage code="100"><com:Text>No results</com:Text>` +
        `</mes:ErrorMessage></mes:Error>`,
        "its service says 100: No results",
      ],
      ['{"errors":[{"code":404,"title":"none"}],"data":{}}', "its service says"],
      [`<mes:Structure ${namespaces}/>`, "it has no data set"],
      [json1.replace('"1":{"attributes"', '"9":{"attributes"'), "has 9 for CURRENCY"],
    ];
    for (const [content, why] of cases) {
      const error = await errorOf(readWith(sdmx, content, { dir }));
      assertStringIncludes(error?.message ?? "none", why);
    }
  });

  await t.step("a message cut after any byte is refused", async () => {
    for (const content of [specific, json2]) {
      const { cut } = await damage(sdmx, content, { dir, flips: 100 });
      assert(cut.slice(1).every((outcome) => outcome instanceof AppError));
    }
  });
});
