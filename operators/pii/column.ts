/** @module Is a column personal data? By its name, and by what its texts hold. */
import type { PiiClass } from "./classes.ts";
import { findNames } from "./names_in_text.ts";
import { isPersonName } from "./person_names.ts";
import { findPii } from "./text.ts";

/** What was found in a column. */
export interface PiiFinding {
  /** The column's values are this; null: they are not, but see `within`. */
  kind: PiiClass | null;
  /** Kinds that stand within longer texts. */
  within: PiiClass[];
}

/** Texts looked at. */
const TEXTS_MAX = 100;
const NAME_SCORE_MIN = 0.5;
const KIND_SHARE = 0.5;
const WITHIN_SHARE = 0.02;
/** Of a text, how much a span must cover to be the value itself. */
const COVER = 0.8;

interface NamedKind {
  kind: PiiClass;
  name: RegExp;
  /** What most values must be like; the name alone is enough where it is left out. */
  value?(text: string): boolean;
}

const anyDigit = /\d/;
const named: readonly NamedKind[] = [
  { kind: "email", name: /\be ?mail\b/, value: (text) => text.includes("@") },
  { kind: "ip", name: /\bip(?: ?v[46])?(?: address)?$/, value: (text) => /[.:]/.test(text) },
  { kind: "iban", name: /\biban\b/ },
  {
    kind: "card",
    name: /\b(?:card|credit card|debit card|cc) ?(?:no|num|number)?$|\bpan$/,
    value: (text) => text.replace(/\D/g, "").length >= 12,
  },
  {
    kind: "phone",
    name: /\b(?:phone|telephone|tel|mobile|cell|fax|handy)\b(?! (?:type|model|brand|count))/,
    value: (text) => text.replace(/\D/g, "").length >= 6,
  },
  {
    kind: "national_id",
    name:
      /\b(?:ssn|social security|national id|national insurance|nino|nhs|personnummer|pesel|bsn|dni|nie|cpf|nir|ahv|aadhaar|codice fiscale|fiscal code)\b/,
    value: (text) => anyDigit.test(text),
  },
  {
    kind: "tax_id",
    name: /\b(?:tax ?(?:payer)? ?id|tin|itin|steuer ?id|steuernummer|nif)\b/,
    value: (text) => anyDigit.test(text),
  },
  { kind: "passport", name: /\bpassport\b/, value: (text) => anyDigit.test(text) },
  {
    kind: "driver_license",
    name: /\bdriv\w* licen[cs]e\b|\blicen[cs]e (?:no|number)\b/,
    value: (text) => anyDigit.test(text),
  },
  {
    kind: "birth_date",
    name: /\b(?:dob|birth ?(?:date|day)|date of birth|born(?: on)?|geburtsdatum|geboren)\b/,
    value: (text) => anyDigit.test(text),
  },
  { kind: "age", name: /^(?:age|.* age)$/, value: (text) => /^\d{1,3}(?:\.0)?$/.test(text) },
  {
    kind: "name",
    name:
      /\b(?:first|last|given|family|middle|maiden|full|sur|fore|christian|nick) ?name\b|^(?:[fl]name|surname|forename|vorname|nachname)$/,
    value: (text) => !anyDigit.test(text),
  },
  {
    kind: "name",
    name:
      /\b(?:customer|client|contact|employee|holder|beneficiary|owner|trader|manager|advis[eo]r|patient|user|borrower|guest|person|signatory|director|officer|author|payee|payer|sender|recipient|passenger|student|teacher|doctor|spouse|debtor|creditor)s?(?: name)?$|^name$|^names$/,
    value: isPersonName,
  },
  {
    kind: "postcode",
    name: /\b(?:zip|zip ?code|postal ?code|post ?code|plz)\b/,
    value: (text) => anyDigit.test(text),
  },
  {
    kind: "address",
    name: /\b(?:street|address|addr|strasse|residence)(?: ?(?:line)? ?\d)?$/,
    value: (text) => /\p{L}{3}/u.test(text) && !/[@]|:\/\//.test(text),
  },
  {
    kind: "account",
    name: /\b(?:account|acct|a c)(?: ?(?:no|num|number|nbr|id))$|\bkontonummer\b/,
    value: (text) => anyDigit.test(text),
  },
];

/** What a column is by its name and a sample of its texts. */
export function piiOfColumn(
  name: string,
  texts: Iterable<string>,
  /** False: its values are numbers or dates, of which only the name tells. */
  { isText = true }: { isText?: boolean } = {},
): PiiFinding {
  const sample = [...texts].slice(0, TEXTS_MAX).map((text) => text.trim()).filter(Boolean);
  const words = plainWords(name);
  const byName = named.find((rule) =>
    rule.name.test(words) && (rule.value === undefined || mostAre(sample, rule.value))
  );
  if (byName) return { kind: byName.kind, within: [] };
  if (!isText) return { kind: null, within: [] };
  const whole = new Map<PiiClass, number>();
  const within = new Map<PiiClass, number>();
  const label = `${words}: `;
  for (const text of sample) {
    // A column called name makes no name of what is in it: the label is no word before it.
    const spans = findPii(label + text).filter(({ kind, start }) =>
      start >= label.length && kind !== "name"
    );
    spans.push(...findNames(text).filter(({ score }) => score >= NAME_SCORE_MIN));
    for (const kind of new Set(spans.map((span) => span.kind))) {
      const covered = spans.filter((span) => span.kind === kind)
        .reduce((sum, span) => sum + span.end - span.start, 0);
      const into = covered >= COVER * text.length ? whole : within;
      into.set(kind, (into.get(kind) ?? 0) + 1);
    }
  }
  const least = (share: number) => Math.max(1, share * sample.length);
  const kinds = [...whole].filter(([kind, count]) => kind !== "url" && count >= least(KIND_SHARE))
    .sort((a, b) => b[1] - a[1]);
  if (kinds.length > 0) return { kind: kinds[0][0], within: [] };
  return {
    kind: null,
    within: [...within].filter(([kind, count]) => kind !== "url" && count >= least(WITHIN_SHARE))
      .map(([kind]) => kind).sort(),
  };
}

/** What a name alone says, where texts are not at hand. */
export function piiOfName(name: string): PiiClass | null {
  const words = plainWords(name);
  return named.find((rule) => rule.name.test(words) && rule.value !== isPersonName)?.kind ?? null;
}

function plainWords(name: string): string {
  return name.replace(/(\p{Ll})(\p{Lu})/gu, "$1 $2").replace(/[^\p{L}\p{N}]+/gu, " ").trim()
    .toLowerCase();
}

function mostAre(texts: readonly string[], test: (text: string) => boolean): boolean {
  if (texts.length === 0) return false;
  return texts.filter(test).length >= KIND_SHARE * texts.length;
}
