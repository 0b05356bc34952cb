/** @module Contexts and units: what facts are about, and in what they are counted. */
import {
  attributeOf,
  elementJson,
  kidOf,
  kidsOf,
  textAt,
  type XmlElement,
} from "../xml/elements.ts";

/** What a fact is about. */
export interface Context {
  entity: string | null;
  scheme: string | null;
  periodType: "instant" | "duration" | "forever" | null;
  start: string | null;
  end: string | null;
  /** Members by axis, as JSON; null for none. */
  dimensions: string | null;
}

/** Contexts and units by their ids. */
export interface Resources {
  contexts: Map<string, Context>;
  units: Map<string, string>;
}

/** Take a context or unit that has ended. */
export function takeResource(element: XmlElement, { contexts, units }: Resources): boolean {
  const id = attributeOf(element, "id");
  if (id === null) return false;
  if (element.name.local === "context" && kidOf(element, "entity")) {
    contexts.set(id, contextOf(element));
    return true;
  }
  if (element.name.local === "unit" && element.kids.length > 0) {
    units.set(id, unitOf(element));
    return true;
  }
  return false;
}

function contextOf(element: XmlElement): Context {
  const entity = kidOf(element, "entity");
  const identifier = kidOf(entity, "identifier");
  const period = kidOf(element, "period");
  const instant = textAt(period, "instant")?.trim() ?? null;
  const isForever = kidOf(period, "forever") !== null;
  const start = textAt(period, "startDate")?.trim() ?? null;
  return {
    entity: identifier?.text.trim() ?? null,
    scheme: identifier ? attributeOf(identifier, "scheme") : null,
    periodType: instant !== null
      ? "instant"
      : isForever
      ? "forever"
      : start !== null
      ? "duration"
      : null,
    start,
    end: instant ?? textAt(period, "endDate")?.trim() ?? null,
    dimensions: dimensionsOf([kidOf(entity, "segment"), kidOf(element, "scenario")]),
  };
}

function dimensionsOf(containers: (XmlElement | null)[]): string | null {
  const members: [string, string][] = [];
  for (const each of containers.flatMap((container) => container?.kids ?? [])) {
    const axis = attributeOf(each, "dimension");
    const inner = each.kids[0];
    if (each.name.local === "explicitMember" && axis) members.push([axis, each.text.trim()]);
    else if (each.name.local === "typedMember" && axis) {
      members.push([axis, inner === undefined || inner.isNil ? "" : inner.text]);
    } else members.push([each.name.local, elementJson(each)]);
  }
  if (members.length === 0) return null;
  return JSON.stringify(Object.fromEntries(members.toSorted(([a], [b]) => a < b ? -1 : 1)));
}

function unitOf(element: XmlElement): string {
  const divide = kidOf(element, "divide");
  if (divide === null) return measures(element);
  return `${measures(kidOf(divide, "unitNumerator"))}/${
    measures(kidOf(divide, "unitDenominator"))
  }`;
}

/** `iso4217:USD` is USD, `xbrli:shares` shares; others keep their prefix. */
function measures(element: XmlElement | null): string {
  return kidsOf(element, "measure")
    .map(({ text }) => text.trim().replace(/^(iso4217|xbrli):/, "")).join("*");
}
