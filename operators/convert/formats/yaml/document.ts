/**
 * @module Documents of YAML as JSON texts: numbers with the digits that they are written with, aliases
 * written out within a bound, tags that would make objects refused.
 */
// @ts-types="npm:@types/js-yaml@4.0.9"
import yaml from "js-yaml";
import { AppError } from "../../../../src/model/errors.ts";

/** A number as it is written. */
class Figure {
  constructor(readonly text: string) {}
  /** Keys of maps are texts. */
  toString(): string {
    return this.text;
  }
  get [Symbol.toStringTag](): string {
    return "Figure";
  }
}

const FIGURE = /^(?:[-+]?(?:\.\d+|\d+(?:\.\d*)?)(?:[eE][-+]?\d+)?|0x[\da-fA-F]+|0o[0-7]+)$/;
const JSON_NUMBER = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][-+]?\d+)?$/;
const NO_NUMBER: Readonly<Record<string, string>> = {
  ".inf": "Infinity",
  "+.inf": "Infinity",
  "-.inf": "-Infinity",
  ".nan": "NaN",
};

const figure = new yaml.Type("tag:yaml.org,2002:float", {
  kind: "scalar",
  resolve: (text: unknown) =>
    typeof text === "string" && (FIGURE.test(text) || text.toLowerCase() in NO_NUMBER),
  construct: (text: string) => new Figure(text),
});
const integer = new yaml.Type("tag:yaml.org,2002:int", {
  kind: "scalar",
  resolve: (text: unknown) => typeof text === "string" && FIGURE.test(text),
  construct: (text: string) => new Figure(text),
});

const { types } = yaml as unknown as { types: Record<string, yaml.Type> };
/** YAML 1.2's core: whatever else a tag names is not made. */
const schema = yaml.FAILSAFE_SCHEMA.extend({
  implicit: [types.null, types.bool, integer, figure, types.merge],
  explicit: [types.binary],
});

/** Documents may be this many times as long when their aliases are written out. */
const GROWTH_MAX = 10;
const GROWTH_CHARS = 16 * 1024 * 1024;

/** Hand each document of a text to `take`, as JSON. Throws CORRUPT with the offset of what is wrong. */
export function yamlDocuments(
  text: string,
  name: string,
  take: (document: YamlDocument) => void,
): void {
  const corrupt = (at: number | null, why: string, cause?: unknown) => {
    const offset = at === null ? null : new TextEncoder().encode(text.slice(0, at)).length;
    const place = offset === null ? "" : `at byte ${offset}, `;
    return new AppError("CORRUPT", `Cannot read ${name} as YAML: ${place}${why}`, {
      detail: { offset, why },
      cause,
    });
  };
  const writer = new JsonWriter(
    text.length * GROWTH_MAX + GROWTH_CHARS,
    (why) => corrupt(null, why),
  );
  try {
    yaml.loadAll(text, (value) => take(writer.document(value)), { schema });
  } catch (error) {
    if (error instanceof yaml.YAMLException) {
      throw corrupt(error.mark?.position ?? null, error.reason, error);
    }
    if (error instanceof RangeError) throw corrupt(null, "its nesting is too deep", error);
    throw error;
  }
}

/** One document. */
export interface YamlDocument {
  /** The elements of a sequence, each as JSON; null when it is something else. */
  elements: string[] | null;
  /** The whole; of a sequence, nothing. */
  json: string;
}

class JsonWriter {
  readonly #charsMax: number;
  readonly #corrupt: (why: string) => AppError;
  readonly #around = new Set<object>();
  #chars = 0;

  constructor(charsMax: number, corrupt: (why: string) => AppError) {
    this.#charsMax = charsMax;
    this.#corrupt = corrupt;
  }

  document(value: unknown): YamlDocument {
    if (!Array.isArray(value)) return { elements: null, json: this.#json(value) };
    this.#around.add(value);
    const elements = value.map((element) => this.#json(element));
    this.#around.delete(value);
    return { elements, json: "" };
  }

  #json(value: unknown): string {
    if (typeof value === "string") return this.#counted(JSON.stringify(value));
    if (value === null || value === undefined) return this.#counted("null");
    if (typeof value === "boolean") return this.#counted(String(value));
    if (value instanceof Figure) return this.#counted(numberJson(value.text));
    if (value instanceof Uint8Array) return this.#counted(JSON.stringify(value.toBase64()));
    const nested = value as object;
    if (this.#around.has(nested)) throw this.#corrupt("an alias is inside of what it stands for");
    this.#around.add(nested);
    const parts = Array.isArray(nested)
      ? nested.map((element) => this.#json(element))
      : Object.entries(nested).map(([name, member]) =>
        `${this.#counted(JSON.stringify(name))}:${this.#json(member)}`
      );
    this.#around.delete(nested);
    return Array.isArray(nested) ? `[${parts.join(",")}]` : `{${parts.join(",")}}`;
  }

  #counted(json: string): string {
    this.#chars += json.length + 1;
    if (this.#chars <= this.#charsMax) return json;
    throw this.#corrupt(
      `its aliases stand for more than ${this.#charsMax} characters, far more than it has`,
    );
  }
}

/** A number with its own digits; one that JSON cannot write so, as a text. */
function numberJson(text: string): string {
  if (JSON_NUMBER.test(text)) return text;
  const named = NO_NUMBER[text.toLowerCase()];
  if (named !== undefined) return JSON.stringify(named);
  if (/^0[xo]/.test(text)) return String(BigInt(text));
  const plain = text.replace(/^\+/, "").replace(/^(-?)\./, "$10.").replace(/\.(?=$|[eE])/, "");
  // Zeros in front, as codes have them.
  return JSON_NUMBER.test(plain) ? plain : JSON.stringify(text);
}
