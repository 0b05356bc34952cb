/** @module Facts of XBRL instances and of inline documents. */
import { ElementSink, type XmlElement } from "../xml/elements.ts";
import type { XmlName } from "../xml/namespaces.ts";
import type { XmlParser, XmlSink } from "../xml/parser.ts";
import { saysNil } from "../xml/structure.ts";
import { type Resources, takeResource } from "./resources.ts";
import { NotOfFormat, scaled, transformed, UnknownFormat } from "./transforms.ts";

/** Columns of the table of facts. */
export const factColumns = [
  "concept",
  "namespace",
  "value",
  "unit",
  "decimals",
  "entity",
  "entity_scheme",
  "period_type",
  "period_start",
  "period_end",
  "dimensions",
  "language",
  "format",
  "context_id",
  "fact_id",
];

const INLINE = /^http:\/\/www\.xbrl\.org\/20\d\d\/inlineXBRL/;
const INSTANCE = "http://www.xbrl.org/2003/instance";
const LINKBASE = "http://www.xbrl.org/2003/linkbase";

/** A fact, or why it is none. */
export interface Fact {
  cells: (string | null)[];
  why: string | null;
  offset: number;
  endOffset: number;
}

/** What a fact's element says. */
interface OpenFact {
  concept: string;
  namespace: string | null;
  depth: number;
  offset: number;
  text: string;
  isNil: boolean;
  isNumeric: boolean;
  attributes: Map<string, string>;
  /** Shown, to be transformed. */
  isInline: boolean;
}

/** Reads resources in a first pass, and facts in a second. */
export class FactReader implements XmlSink {
  readonly #parser: () => XmlParser;
  readonly #resources: Resources;
  readonly #continuations: Map<string, { text: string; next: string | null }>;
  readonly #tell: ((fact: Fact) => void) | null;
  readonly #open: OpenFact[] = [];
  readonly #texts: { id: string; next: string | null; depth: number; text: string }[] = [];
  #depth = 0;
  /** Depth of an element whose text is none of the facts around it. */
  #excluded = -1;
  #tree: ElementSink | null = null;
  #treeDepth = 0;
  #languages: (string | null)[] = [null];
  /** Facts until now. */
  facts = 0;
  /** Is the document one of XBRL at all? */
  isXbrl = false;

  /** Without `tell`, resources and continued texts are read; with it, facts. */
  constructor(
    parser: () => XmlParser,
    { resources, continuations, tell }: {
      resources: Resources;
      continuations: Map<string, { text: string; next: string | null }>;
      tell: ((fact: Fact) => void) | null;
    },
  ) {
    this.#parser = parser;
    this.#resources = resources;
    this.#continuations = continuations;
    this.#tell = tell;
  }

  start(name: XmlName, attributes: readonly (XmlName | string)[]): void {
    this.#depth++;
    this.#languages.push(languageOf(attributes) ?? this.#languages.at(-1)!);
    if (this.#tree) return this.#tree.start(name, attributes);
    if (name.uri === INSTANCE) {
      this.isXbrl = true;
      if (this.#tell === null && (name.local === "context" || name.local === "unit")) {
        this.#tree = new ElementSink({
          ended: (element: XmlElement) => {
            if (element.parent === null) takeResource(element, this.#resources);
            return "keep";
          },
        }, this.#parser);
        this.#treeDepth = this.#depth;
        return this.#tree.start(name, attributes);
      }
      return;
    }
    if (INLINE.test(name.uri)) {
      this.isXbrl = true;
      return this.#inline(name, attributes);
    }
    if (this.#tell === null || name.uri === LINKBASE) return;
    const values = valuesOf(attributes);
    if (!values.has("contextRef")) return;
    this.#begin(values, {
      concept: name.prefix === "" ? name.local : `${name.prefix}:${name.local}`,
      namespace: name.uri,
      isNil: saysNil(attributes),
      isNumeric: values.has("unitRef"),
      isInline: false,
    });
  }

  text(piece: string): void {
    if (this.#tree) return this.#tree.text(piece);
    if (this.#excluded >= 0) return;
    for (const fact of this.#open) fact.text += piece;
    for (const text of this.#texts) text.text += piece;
  }

  end(): void {
    const depth = this.#depth--;
    this.#languages.pop();
    if (this.#tree) {
      this.#tree.end();
      if (depth === this.#treeDepth) this.#tree = null;
      return;
    }
    if (this.#excluded === depth) this.#excluded = -1;
    if (this.#texts.at(-1)?.depth === depth) {
      const { id, next, text } = this.#texts.pop()!;
      this.#continuations.set(id, { text, next });
    }
    if (this.#open.at(-1)?.depth === depth) this.#finish(this.#open.pop()!);
  }

  skipped(entity: string): void {
    this.text(`&${entity};`);
    if (this.#open.length > 0) this.#open.at(-1)!.attributes.set("skipped", entity);
  }

  #inline({ local }: XmlName, attributes: readonly (XmlName | string)[]): void {
    const values = valuesOf(attributes);
    if (local === "exclude" && this.#excluded < 0) this.#excluded = this.#depth;
    const id = values.get("id");
    if (this.#tell === null) {
      if (local === "continuation" && id !== undefined) {
        const next = values.get("continuedAt") ?? null;
        this.#texts.push({ id, next, depth: this.#depth, text: "" });
      }
      return;
    }
    const isNumeric = local === "nonFraction";
    if (!isNumeric && local !== "nonNumeric") return;
    const concept = values.get("name") ?? "";
    this.#begin(values, {
      concept,
      namespace: this.#parser().uriOf(concept.split(":")[0]) ?? null,
      isNil: saysNil(attributes),
      isNumeric,
      isInline: true,
    });
  }

  #begin(
    attributes: Map<string, string>,
    fact: Omit<OpenFact, "attributes" | "depth" | "offset" | "text">,
  ): void {
    const { offset } = this.#parser();
    this.#open.push({ ...fact, attributes, depth: this.#depth, offset, text: "" });
    const language = this.#languages.at(-1);
    if (language && !fact.isNumeric) attributes.set("language", language);
  }

  #finish(fact: OpenFact): void {
    const { attributes } = fact;
    const context = this.#resources.contexts.get(attributes.get("contextRef") ?? "");
    const unit = attributes.get("unitRef");
    let why: string | null = null;
    let value: string | null = null;
    let format: string | null = null;
    if (!context) why = `there is no context "${attributes.get("contextRef") ?? ""}"`;
    else if (unit !== undefined && !this.#resources.units.has(unit)) {
      why = `there is no unit "${unit}"`;
    } else if (attributes.has("skipped")) {
      why = `it refers to the entity "${attributes.get("skipped")}", which is not fetched`;
    } else {
      try {
        ({ value, format } = this.#value(fact));
      } catch (error) {
        if (!(error instanceof NotOfFormat) && !(error instanceof UnknownFormat)) throw error;
        why = error instanceof UnknownFormat
          ? `its format "${error.message}" is not known`
          : error.message;
      }
    }
    this.facts++;
    const cells = [
      fact.concept,
      fact.namespace,
      value,
      unit === undefined ? null : this.#resources.units.get(unit) ?? null,
      attributes.get("decimals") ?? null,
      context?.entity ?? null,
      context?.scheme ?? null,
      context?.periodType ?? null,
      context?.start ?? null,
      context?.end ?? null,
      context?.dimensions ?? null,
      attributes.get("language") ?? null,
      format,
      attributes.get("contextRef") ?? null,
      attributes.get("id") ?? null,
    ];
    this.#tell!({ cells, why, offset: fact.offset, endOffset: this.#parser().endOffset });
  }

  #value(fact: OpenFact): { value: string | null; format: string | null } {
    const { attributes } = fact;
    if (fact.isNil) return { value: null, format: null };
    if (!fact.isInline) {
      return { value: fact.isNumeric ? fact.text.trim() : fact.text, format: null };
    }
    const text = this.#continued(fact);
    const format = attributes.get("format") ?? null;
    if (fact.isNumeric) {
      const shown = format === null ? text.trim() : transformed(text, format);
      const value = scaled(shown, attributes.get("scale") ?? null, attributes.get("sign") ?? null);
      return { value, format: null };
    }
    if (format === null) return { value: text, format: null };
    try {
      return { value: transformed(text, format), format: null };
    } catch (error) {
      if (!(error instanceof UnknownFormat)) throw error;
      // A text whose format is not known stays as it is shown, and says so.
      return { value: text.trim(), format };
    }
  }

  #continued({ text, attributes }: OpenFact): string {
    let all = text;
    const seen = new Set<string>();
    let next = attributes.get("continuedAt") ?? null;
    while (next !== null) {
      const part = this.#continuations.get(next);
      if (part === undefined) throw new NotOfFormat(`its continuation "${next}" is not there`);
      if (seen.has(next)) throw new NotOfFormat(`its continuation "${next}" is one of itself`);
      seen.add(next);
      all += part.text;
      next = part.next;
    }
    return all;
  }
}

function valuesOf(attributes: readonly (XmlName | string)[]): Map<string, string> {
  const values = new Map<string, string>();
  for (let i = 0; i < attributes.length; i += 2) {
    const { local, uri } = attributes[i] as XmlName;
    if (uri === "") values.set(local, attributes[i + 1] as string);
  }
  return values;
}

function languageOf(attributes: readonly (XmlName | string)[]): string | null {
  for (let i = 0; i < attributes.length; i += 2) {
    const { local, prefix } = attributes[i] as XmlName;
    if (prefix === "xml" && local === "lang") return attributes[i + 1] as string;
  }
  return null;
}
