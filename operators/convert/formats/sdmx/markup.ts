/** @module SDMX-ML: generic and structure-specific data of 2.0, 2.1 and 3.0, series by series. */
import {
  attributeOf,
  type ElementHandler,
  elementsAt,
  kidOf,
  kidsOf,
  textAt,
  type XmlElement,
} from "../xml/elements.ts";
import type { XmlName } from "../xml/namespaces.ts";
import { type Observation, SdmxMessage } from "./observations.ts";

const XSI = "http://www.w3.org/2001/XMLSchema-instance";

/** Attributes of a data set that are about it, not its data. */
const aboutDataSet = new Set([
  "structureRef",
  "setID",
  "dataScope",
  "validFromDate",
  "validToDate",
  "publicationYear",
  "publicationPeriod",
  "reportingBeginDate",
  "reportingEndDate",
  "keyFamilyURI",
  "datasetID",
  "dataProviderSchemeAgencyId",
  "dataProviderID",
  "dataflowAgencyID",
  "dataflowID",
]);

type Values = Map<string, string | null>;

/** Makes observations of a document. */
export class MarkupReader implements ElementHandler {
  readonly #tell: (observation: Observation) => void;
  /** `ID` by structure reference, and the dimension that observations differ by. */
  readonly #structures = new Map<string, { id: string | null; observed: string | null }>();
  #dataSet: { element: XmlElement; values: Values } | null = null;
  #groups: Values[] = [];
  #series: { element: XmlElement; values: Values | null } | null = null;
  /** Data sets until now. */
  dataSets = 0;

  constructor(tell: (observation: Observation) => void) {
    this.#tell = tell;
  }

  began(element: XmlElement): void {
    const { local } = element.name;
    if (local === "DataSet") {
      this.dataSets++;
      this.#groups = [];
      this.#dataSet = { element, values: this.#dataSetValues(element) };
    } else if (local === "Series" && element.parent === this.#dataSet?.element) {
      this.#series = { element, values: null };
    }
  }

  ended(element: XmlElement): "keep" | "drop" {
    const { local } = element.name;
    if (this.#dataSet === null) return this.#outside(element);
    const { element: dataSet, values } = this.#dataSet;
    if (element === dataSet) {
      this.#dataSet = null;
      return "drop";
    }
    if (element.parent === dataSet) {
      if (local === "Attributes") addGeneric(element, values);
      else if (local === "Atts") addSpecific(element, values);
      else if (local === "Group" || /Group$/.test(local)) this.#group(element);
      else if (local === "Obs") this.#observation(element, values);
      else if (local === "Series") {
        this.#series = null;
        return "drop";
      } else return "keep";
      return "drop";
    }
    if (element.parent !== this.#series?.element || this.#series === null) return "keep";
    if (local !== "Obs") return "keep";
    this.#series.values ??= this.#seriesValues(this.#series.element, values);
    this.#observation(element, this.#series.values);
    return "drop";
  }

  #outside(element: XmlElement): "keep" | "drop" {
    const { local } = element.name;
    if (local === "Structure" && element.parent?.name.local === "Header") this.#structure(element);
    if (local === "ErrorMessage" && element.parent?.name.local === "Error") refuse(element);
    if (local === "Message" && element.parent?.name.local === "Footer") {
      const severity = attributeOf(element, "severity");
      // A service says here that it left observations out.
      if (severity === "Error" || severity === "Warning") refuse(element);
    }
    return "keep";
  }

  #structure(element: XmlElement): void {
    const key = attributeOf(element, "structureID") ?? "";
    const usage = kidOf(element, "StructureUsage") ?? kidOf(element, "Structure") ??
      kidOf(element, "ProvisionAgreement");
    const reference = elementsAt(usage, "Ref")[0] ?? null;
    const id = reference ? identifierOf(reference) : urnOf(usage);
    this.#structures.set(key, {
      id,
      observed: attributeOf(element, "dimensionAtObservation"),
    });
  }

  #dataSetValues(element: XmlElement): Values {
    const values: Values = new Map();
    const structure = this.#structures.get(attributeOf(element, "structureRef") ?? "");
    const family = attributeOf(element, "dataflowID");
    if (structure?.id || family) values.set("STRUCTURE_ID", structure?.id ?? family);
    const { attributes } = element;
    for (let i = 0; i < attributes.length; i += 2) {
      const { local, uri } = attributes[i] as XmlName;
      if (uri === XSI || aboutDataSet.has(local)) continue;
      if (local === "action") values.set("ACTION", attributes[i + 1] as string);
      // Attributes of a data set that have names of components are values of all of it.
      else if (uri === "") values.set(local, attributes[i + 1] as string);
    }
    return values;
  }

  #group(element: XmlElement): void {
    const values: Values = new Map();
    const key = kidOf(element, "GroupKey");
    if (key) addValues(key, values);
    addGeneric(kidOf(element, "Attributes"), values);
    if (!key) addSpecific(element, values);
    this.#groups.push(values);
  }

  #seriesValues(element: XmlElement, above: Values): Values {
    const values: Values = new Map(above);
    const own: Values = new Map();
    const key = kidOf(element, "SeriesKey");
    if (key) {
      addValues(key, own);
      addGeneric(kidOf(element, "Attributes"), own);
    } else addSpecific(element, own);
    for (const [name, value] of own) values.set(name, value);
    this.#addGroups(values, own);
    return values;
  }

  /** What groups say of all series, or observations, that have their key. */
  #addGroups(values: Values, own: Values): void {
    for (const group of this.#groups) {
      const shared = [...group].filter(([name]) => own.has(name));
      if (shared.length === 0 || shared.some(([name, value]) => own.get(name) !== value)) continue;
      for (const [name, value] of group) if (!values.has(name)) values.set(name, value);
    }
  }

  #observation(element: XmlElement, above: Values): void {
    const values: Values = new Map(above);
    const own: Values = new Map();
    const generic = kidOf(element, "ObsValue") ?? kidOf(element, "ObsDimension") ??
      kidOf(element, "ObsKey") ?? kidOf(element, "Time");
    if (generic) this.#genericObservation(element, own);
    else addSpecific(element, own);
    for (const [name, value] of own) values.set(name, value);
    if (element.parent === this.#dataSet!.element) this.#addGroups(values, own);
    const { offset, endOffset } = element;
    this.#tell({ values, offset, endOffset });
  }

  #genericObservation(element: XmlElement, values: Values): void {
    const key = kidOf(element, "ObsKey");
    if (key) addValues(key, values);
    const dimension = kidOf(element, "ObsDimension");
    if (dimension) {
      values.set(
        attributeOf(dimension, "id") ?? this.#observed() ?? "TIME_PERIOD",
        attributeOf(dimension, "value"),
      );
    }
    const time = textAt(element, "Time");
    if (time !== null) values.set("TIME_PERIOD", time);
    for (const value of kidsOf(element, "ObsValue")) {
      values.set(attributeOf(value, "id") ?? "OBS_VALUE", attributeOf(value, "value"));
    }
    addGeneric(kidOf(element, "Attributes"), values);
  }

  #observed(): string | null {
    const reference = attributeOf(this.#dataSet!.element, "structureRef") ?? "";
    return this.#structures.get(reference)?.observed ?? null;
  }
}

/** `<Value id="FREQ" value="A"/>`, in 2.0 `concept`. */
function addValues(element: XmlElement, into: Values): void {
  for (const value of kidsOf(element, "Value")) {
    const name = attributeOf(value, "id") ?? attributeOf(value, "concept");
    if (name !== null) into.set(name, attributeOf(value, "value"));
  }
}

function addGeneric(element: XmlElement | null, into: Values): void {
  if (element) addValues(element, into);
}

/** Attributes of an element are components; in 3.0 those with several values are `Comp`. */
function addSpecific(element: XmlElement, into: Values): void {
  const { attributes } = element;
  for (let i = 0; i < attributes.length; i += 2) {
    const { local, uri } = attributes[i] as XmlName;
    if (uri !== XSI) into.set(local, attributes[i + 1] as string);
  }
  for (const component of kidsOf(element, "Comp")) {
    const name = attributeOf(component, "id");
    const values = kidsOf(component, "Value").map((value) => value.text);
    if (name !== null) into.set(name, values.length === 1 ? values[0] : JSON.stringify(values));
  }
}

function identifierOf(reference: XmlElement): string {
  const id = attributeOf(reference, "id");
  const agency = attributeOf(reference, "agencyID");
  const version = attributeOf(reference, "version");
  return `${agency ? `${agency}:` : ""}${id}${version ? `(${version})` : ""}`;
}

/** Of `urn:sdmx:org.sdmx.infomodel.datastructure.Dataflow=ECB:EXR(1.0)`, what is behind the sign. */
function urnOf(usage: XmlElement | null): string | null {
  const urn = textAt(usage, "URN") ?? (usage && usage.kids.length === 0 ? usage.text : null);
  return urn?.split("=").at(-1)?.trim() ?? null;
}

function refuse(element: XmlElement): never {
  const texts = kidsOf(element, "Text").concat(kidsOf(element, "AnnotationText"));
  const text = texts.map((each) => each.text).join(" ") || element.text;
  throw new SdmxMessage(
    `its service says ${attributeOf(element, "code") ?? "an error"}: ${text.trim().slice(0, 500)}`,
  );
}
