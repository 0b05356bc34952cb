/** @module SDMX-JSON 1.0 and 2.0: indexes resolved to the values that they stand for. */
import { AppError } from "../../../../src/model/errors.ts";
import { type Observation, SdmxMessage } from "./observations.ts";

/** A document is held whole: this large at most. */
export const jsonBytesMax = 64 * 1024 * 1024;

interface Component {
  id: string;
  values?: ({ id?: string; value?: unknown; name?: string } | null)[];
  default?: string;
}

interface Structure {
  dimensions?: Levels;
  attributes?: Levels;
  measures?: Levels;
  links?: { urn?: string; rel?: string }[];
}

type Levels = Partial<Record<Level, Component[]>>;
type Level = "dataSet" | "dataset" | "series" | "observation" | "dimensionGroup";

interface DataSet {
  action?: string;
  structure?: number;
  attributes?: unknown[];
  dimensionGroupAttributes?: Record<string, unknown[]>;
  series?: Record<string, { attributes?: unknown[]; observations?: Record<string, unknown[]> }>;
  observations?: Record<string, unknown[]>;
}

/** Observations of a document. Throws {@link SdmxMessage} where it has none to give. */
export function* jsonObservations(text: string, name: string): Generator<Observation> {
  const document = parse(text, name);
  const data = (document.data ?? document) as Record<string, unknown>;
  const errors = (document.errors ?? []) as { code?: unknown; title?: string; detail?: string }[];
  if (Array.isArray(errors) && errors.length > 0) {
    const { code, title, detail } = errors[0];
    throw new SdmxMessage(`its service says ${code ?? "an error"}: ${title ?? detail ?? ""}`);
  }
  const structures = (data.structures ?? [data.structure ?? document.structure]) as Structure[];
  const dataSets = data.dataSets as DataSet[] | undefined;
  if (!Array.isArray(dataSets) || !structures[0]) {
    throw new SdmxMessage("it has no data sets with their structure");
  }
  for (const dataSet of dataSets) {
    const structure = structures[Number(dataSet.structure ?? 0)];
    if (!structure) {
      throw new SdmxMessage(
        `a data set refers to structure ${dataSet.structure}, which is not there`,
      );
    }
    yield* observationsOf(dataSet, structure);
  }
}

/** Numbers keep their digits: they are texts with a mark. */
class Digits {
  constructor(readonly text: string) {}
}

function parse(text: string, name: string): Record<string, unknown> {
  try {
    return JSON.parse(
      text,
      (_, value, context?: { source?: string }) =>
        typeof value === "number" ? new Digits(context?.source ?? String(value)) : value,
    );
  } catch (error) {
    throw new AppError(
      "CORRUPT",
      `Cannot read ${name} as SDMX-JSON: ${(error as Error).message}`,
      { cause: error },
    );
  }
}

function* observationsOf(dataSet: DataSet, structure: Structure): Generator<Observation> {
  const { dimensions = {}, attributes = {}, measures = {} } = structure;
  const whole = new Map<string, string | null>();
  const urn = structure.links?.find(({ urn }) => urn !== undefined)?.urn;
  if (urn) whole.set("STRUCTURE_ID", urn.split("=").at(-1)!);
  if (typeof dataSet.action === "string") whole.set("ACTION", dataSet.action);
  const fixed = dimensions.dataSet ?? dimensions.dataset ?? [];
  for (const component of fixed) whole.set(component.id, valueAt(component, 0));
  addAll(attributes.dataSet ?? attributes.dataset, dataSet.attributes, whole);
  const ofObservation = dimensions.observation ?? [];
  const measured = measures.observation ?? [{ id: "OBS_VALUE" }];
  const noted = attributes.observation ?? [];
  const groups = dataSet.dimensionGroupAttributes ?? {};
  const give = function* (
    observations: Record<string, unknown[]> | undefined,
    above: Map<string, string | null>,
    seriesKey: string[],
  ): Generator<Observation> {
    for (const [key, cells] of Object.entries(observations ?? {})) {
      const values = new Map(above);
      const own = key.split(":");
      addKey(ofObservation, own, values);
      for (const [i, measure] of measured.entries()) values.set(measure.id, plain(cells?.[i]));
      addAll(noted, cells?.slice(measured.length), values);
      addGroups(groups, [...fixed.map(() => "0"), ...seriesKey, ...own], values, attributes);
      yield { values, offset: 0, endOffset: 0 };
    }
  };
  for (const [key, series] of Object.entries(dataSet.series ?? {})) {
    const values = new Map(whole);
    const own = key.split(":");
    addKey(dimensions.series ?? [], own, values);
    addAll(attributes.series, series.attributes, values);
    yield* give(series.observations, values, own);
  }
  yield* give(dataSet.observations, whole, []);
}

/** Attributes of parts of the key: `"0::2"` has all dimensions, with none where any will do. */
function addGroups(
  groups: Record<string, unknown[]>,
  key: string[],
  values: Map<string, string | null>,
  attributes: Levels,
): void {
  for (const [pattern, indexes] of Object.entries(groups)) {
    const parts = pattern.split(":");
    if (parts.every((part, i) => part === "" || part === key[i])) {
      addAll(attributes.dimensionGroup, indexes, values);
    }
  }
}

function addKey(
  dimensions: Component[],
  indexes: string[],
  into: Map<string, string | null>,
): void {
  for (const [i, dimension] of dimensions.entries()) {
    const index = Number(indexes[i]);
    if (!Number.isInteger(index) || !dimension.values?.[index]) {
      throw new SdmxMessage(`a key has ${indexes[i]} for ${dimension.id}, which has no such value`);
    }
    into.set(dimension.id, valueAt(dimension, index));
  }
}

function addAll(
  components: Component[] | undefined,
  indexes: unknown[] | undefined,
  into: Map<string, string | null>,
): void {
  for (const [i, component] of (components ?? []).entries()) {
    const index = indexes?.[i];
    if (index === undefined || index === null) {
      if (!into.has(component.id)) into.set(component.id, component.default ?? null);
    } else if (index instanceof Digits && (component.values?.length ?? 0) > 0) {
      if (component.values![Number(index.text)] === undefined) {
        throw new SdmxMessage(`${component.id} is value ${index.text}, and there is none`);
      }
      into.set(component.id, valueAt(component, Number(index.text)));
    } else into.set(component.id, plain(index));
  }
}

function valueAt({ values }: Component, index: number): string | null {
  const value = values?.[index];
  if (value === undefined || value === null) return null;
  return plain(value.id ?? value.value ?? value.name);
}

function plain(value: unknown): string | null {
  if (value === null || value === undefined) return null;
  if (typeof value === "string") return value;
  if (value instanceof Digits) return value.text;
  return JSON.stringify(value, (_, each) => each instanceof Digits ? each.text : each);
}
