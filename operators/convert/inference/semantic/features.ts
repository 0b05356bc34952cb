/**
 * @module What a column's name, figures and samples say of what it means: numbers for a model.
 *
 * Training and use take the features from here, so they cannot differ. A change of any feature needs
 * the model trained anew: `models/column_types/train.py`.
 */

/** A column as the model sees it. */
export interface SemanticColumn {
  name: string;
  rows: number;
  nulls: number;
  distinct: number;
  /** Of a column of numbers; null for any other. */
  numbers: { mean: number; deviation: number; min: number; max: number } | null;
  /** A few values as text, at most {@link samplesMax} of which count; empty text for a null. */
  samples: readonly string[];
}

/** Values of a column that the model looks at. */
export const samplesMax = 5;
/** Places for hashed parts of names and of values. */
export const hashBits = 14;

/** Numbers, and places of parts of the name and of the values, for a model. */
export interface Features {
  dense: number[];
  nameParts: number[];
  valueParts: number[];
}

const shapes: readonly RegExp[] = [
  /^$/,
  /^[+-]?\d+$/,
  /^[+-]?\d*\.\d+$/,
  /^[+-]?\d(?:\.\d+)?[eE][+-]?\d+$/,
  /^0\d+$/,
  /^-/,
  /^(?:19|20)\d\d$/,
  /^\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}(?:[ T].*)?$/,
  /\b\d{1,2}:\d{2}/,
  /\b(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec|mon|tue|wed|thu|fri|sat|sun)[a-z]*\b/i,
  /^(?:19|20)\d\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])?$/,
  /^https?:\/\/|^ftp:\/\/|^s3:\/\//i,
  /\bwww\.|\.(?:com|org|net|gov|edu|html?|php|jpe?g|png|gif|pdf)\b/i,
  /^[^\s@]+@[^\s@]+\.\w+$/,
  /^[$£€¥]\s*-?[\d,.]+|[\d,.]+\s*[$£€¥]$/,
  /^-?[\d.,]+\s*%$/,
  /^-?\d{1,3}(?:,\d{3})+(?:\.\d+)?$/,
  /^[<>~]?=?\s*-?\d[\d.,]*\s*[a-zA-Z/%°µ"']{1,8}$/,
  /^\d[\d.,]*\s*(?:-|to)\s*\d[\d.,]*\s*\S{0,8}$/,
  /^[a-zA-Z]{1,6}[-_ #.]?\d+$/,
  /^(?=.*\d)(?=.*[a-zA-Z])[\w-]+$/,
  /^[\da-f]{8,}$/i,
  /^\{?[\da-f]{8}-[\da-f]{4}-/i,
  /^[[({].*[\])}]$/s,
  /^\s*\{.*:/s,
  /<[a-z/][^>]*>/i,
  /^[^,]+(?:,[^,]+)+$/,
  /^[^;]+(?:;[^;]*)+$/,
  /^[^|]+(?:\|[^|]+)+$/,
  /^[^/]+(?:\/[^/]+)+$/,
  /^\w+(?:\s*,\s*\w+){2,}$/,
  /^(?:true|false|yes|no|y|n|t|f)$/i,
  /^[01](?:\.0+)?$/,
  /^(?:m|f|male|female)$/i,
  /^[A-Z]$/,
  /^[A-Z]{2,5}$/,
  /^[A-Z][a-z]+$/,
  /^[A-Z][a-z]+(?: [A-Z][a-z'.-]*)+$/,
  /^[a-z_]+$/,
  /^[A-Z\d _-]+$/,
  /^(?:na|n\/a|null|nan|none|#n\/a|\?|-|\.|missing|unknown)$/i,
  /^\(?\+?\d[\d() .-]{7,}\d$/,
  /^-?\d{1,3}\.\d{4,}$/,
  /^\(?-?\d+(?:\.\d+)?\s*[,;]\s*-?\d+(?:\.\d+)?\)?$/,
  /[.!?](?:\s|$)/,
  /\b(?:the|and|of|to|in|is|for|with|that|on|this|was|as|are)\b/i,
  /^\d+\s+\w+.*\b(?:st|street|ave|avenue|rd|road|blvd|dr|drive|ln|lane|way|ct|hwy)\b/i,
  /^[a-z]:\\|^\/?\w+\/\w+\/|\.\w{2,4}$/i,
  /^#?\d+$|^no\.?\s*\d+$/i,
  /\d+['’]\s*\d*|\d+\s*(?:ft|in|cm|kg|lbs?|mm|km|mi|hrs?|mins?|secs?|years?|yrs?|days?|months?|mb|gb)\b/i,
];

const nameWords: readonly RegExp[] = [
  /\bids?$|^id\b|key$|uuid|guid/,
  /codes?\b|cd$/,
  /date|\bdt\b|\bdob\b/,
  /time|stamp|hour|minute/,
  /year|\byr\b/,
  /month|week|\bday\b|quarter/,
  /name|title|label/,
  /type|category|class|kind|group|status|state|level|flag|gender|sex|race/,
  /num|number|\bno\b|\bnbr\b|#/,
  /count|\bcnt\b|total|sum|amount|amt|qty|quantity|freq/,
  /avg|mean|median|std|var\b|min\b|max\b|pct|percent|rate|ratio|score|index|prob|share/,
  /url|link|website|href|image|photo|img|web/,
  /desc|comment|text|note|review|summary|message|remark|body|abstract|content|reason/,
  /address|addr|street|city|county|country|zip|postal|location|region|province/,
  /\blat\b|latitude|\blon\b|\blng\b|longitude|coord/,
  /price|cost|salary|income|revenue|budget|fee|pay|value|usd|dollar/,
  /height|weight|length|width|size|area|depth|distance|age|speed|temp|duration/,
  /email|phone|fax|mobile|tel\b/,
  /tags?\b|list|keywords?|genres?|categories|languages|authors|actors/,
  /rank|position|order|seq|row|line|page|index/,
  /^unnamed|^x\d*$|^v\d+$|^var|^col|^column|^field/,
  /^is\b|^has\b|^if\b|yes|no$|bool|\?$/,
  /first|last|prev|next|start|end|begin|from|to$/,
  /user|person|customer|player|team|company|author|school|hospital/,
  /version|model|brand|make|color|colour|grade/,
  /q\d+|question|answer|survey|resp/,
];

const small = /^(?:the|and|of|to|in|is|for|with|that|on|this|was|as|are|a|an|it|by|at|from|or)$/i;

/** Features of a column. */
export function semanticFeatures(column: SemanticColumn): Features {
  const samples = column.samples.slice(0, samplesMax).map((text) => text.slice(0, 500));
  const words = wordsOf(column.name);
  return {
    dense: [
      ...figureFeatures(column),
      ...nameFeatures(column.name, words),
      ...sampleFeatures(samples),
    ],
    nameParts: [...new Set(partsOfName(words).map(bucket))],
    valueParts: [...new Set(samples.flatMap(partsOfValue).map(bucket))],
  };
}

const signedLog = (x: number) => Number.isFinite(x) ? Math.sign(x) * Math.log1p(Math.abs(x)) : 0;

function figureFeatures({ rows, nulls, distinct, numbers }: SemanticColumn): number[] {
  const { mean, deviation, min, max } = numbers ?? { mean: 0, deviation: 0, min: 0, max: 0 };
  const filled = Math.max(1, rows - nulls);
  const span = max - min;
  return [
    Math.log1p(rows),
    Math.log1p(nulls),
    nulls / Math.max(1, rows),
    Math.log1p(distinct),
    distinct / Math.max(1, rows),
    distinct / filled,
    distinct,
    signedLog(mean),
    signedLog(deviation),
    signedLog(min),
    signedLog(max),
    min,
    max,
    signedLog(span),
    Number.isInteger(min) && Number.isInteger(max) ? 1 : 0,
    span > 0 ? distinct / (span + 1) : 0,
    span + 1 === distinct ? 1 : 0,
    deviation > 0 ? mean / deviation : 0,
    span > 0 ? (mean - min) / span : 0,
    span > 0 ? deviation / span : 0,
    numbers !== null ? 1 : 0,
    min > 1500 && max < 2101 ? 1 : 0,
    filled - distinct,
  ];
}

/** Words of a name: at signs, at digits, and where capitals begin. */
function wordsOf(name: string): string[] {
  return name.replace(/([a-z])([A-Z])/g, "$1 $2").replace(/(\d+)/g, " $1 ")
    .toLowerCase().split(/[^\p{L}\d#%$?]+/u).filter((word) => word !== "");
}

function nameFeatures(name: string, words: string[]): number[] {
  const plain = words.join(" ");
  const tail = name.match(/(\d+)\D?$/);
  return [
    name.length,
    words.length,
    Math.max(0, ...words.map((word) => word.length)),
    /\d/.test(name) ? 1 : 0,
    tail ? Math.min(9999, Number(tail[1])) : -1,
    /^[A-Z\d_]+$/.test(name) ? 1 : 0,
    /[a-z][A-Z]/.test(name) ? 1 : 0,
    /_/.test(name) ? 1 : 0,
    /\./.test(name) ? 1 : 0,
    /\s/.test(name) ? 1 : 0,
    /[(%$]/.test(name) ? 1 : 0,
    /^\w\d+$/.test(name) ? 1 : 0,
    (name.match(/[aeiou]/gi)?.length ?? 0) / Math.max(1, name.length),
    ...nameWords.map((pattern) => pattern.test(plain) ? 1 : 0),
  ];
}

function sampleFeatures(samples: readonly string[]): number[] {
  const filled = samples.filter((text) => text.trim() !== "");
  const share = (test: (text: string) => boolean) =>
    filled.filter(test).length / Math.max(1, filled.length);
  const lengths = filled.map((text) => text.length);
  const words = filled.map((text) => text.trim().split(/\s+/).length);
  const numbers = filled.map(Number).filter((number) => Number.isFinite(number));
  const letters = filled.map((text) => (text.match(/\p{L}/gu)?.length ?? 0) / text.length);
  const digits = filled.map((text) => (text.match(/\d/g)?.length ?? 0) / text.length);
  const fractions = filled.map((text) => text.match(/\.(\d+)$/)?.[1].length ?? 0);
  const smallWords = filled.map((text) => text.split(/\s+/).filter((w) => small.test(w)).length);
  const signs = [",", ";", "|", "/", "-", ":", ".", "(", "#", "_", "'", '"', "&", "=", "\n"];
  const steps = numbers.slice(1).map((number, i) => number - numbers[i]);
  return [
    filled.length,
    new Set(filled).size / Math.max(1, filled.length),
    new Set(filled.map((text) => text.length)).size,
    ...spread(lengths),
    ...spread(words),
    ...spread(letters),
    ...spread(digits),
    ...spread(fractions),
    ...spread(smallWords),
    ...spread(numbers.map(signedLog)),
    numbers.length / Math.max(1, filled.length),
    steps.length > 0 && steps.every((step) => step > 0) ? 1 : 0,
    steps.length > 0 && steps.every((step) => step === 1) ? 1 : 0,
    share((text) => Number.isInteger(Number(text))),
    share((text) => Number(text) % 5 === 0),
    ...shapes.map((shape) => share((text) => shape.test(text.trim()))),
    ...signs.map((sign) =>
      filled.reduce((sum, text) => sum + text.split(sign).length - 1, 0) /
      Math.max(1, filled.length)
    ),
  ];
}

function spread(values: readonly number[]): number[] {
  if (values.length === 0) return [0, 0, 0, 0];
  const mean = values.reduce((a, b) => a + b, 0) / values.length;
  const variance = values.reduce((a, b) => a + (b - mean) ** 2, 0) / values.length;
  return [mean, Math.sqrt(variance), Math.min(...values), Math.max(...values)];
}

function partsOfName(words: readonly string[]): string[] {
  const text = `^${words.join(" ")}$`;
  const parts = words.map((word) => `w:${word}`);
  if (words.length > 0) parts.push(`f:${words[0]}`, `l:${words[words.length - 1]}`);
  for (let i = 1; i < words.length; i++) parts.push(`b:${words[i - 1]} ${words[i]}`);
  for (let size = 2; size <= 5; size++) {
    for (let i = 0; i + size <= text.length; i++) parts.push(`c:${text.slice(i, i + size)}`);
  }
  return parts;
}

function partsOfValue(value: string): string[] {
  const text = value.trim().slice(0, 100);
  const shape = text.replace(/\p{Lu}/gu, "A").replace(/\p{Ll}/gu, "a").replace(/\d/g, "9");
  const parts = [`s:${shape.slice(0, 24)}`, `v:${text.slice(0, 24).toLowerCase()}`];
  parts.push(`r:${shape.replace(/(.)\1+/gu, "$1+").slice(0, 24)}`);
  for (const word of text.toLowerCase().split(/[^\p{L}]+/u)) if (word) parts.push(`w:${word}`);
  for (let size = 1; size <= 3; size++) {
    const edges = `^${text.toLowerCase()}$`;
    for (let i = 0; i + size <= Math.min(edges.length, 40); i++) {
      parts.push(`c:${edges.slice(i, i + size)}`);
    }
  }
  return parts;
}

/** FNV-1a over UTF-16 units, down to the places there are. */
function bucket(part: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < part.length; i++) {
    hash = Math.imul(hash ^ part.charCodeAt(i), 0x01000193);
  }
  hash ^= hash >>> 15;
  return (hash >>> 0) & ((1 << hashBits) - 1);
}
