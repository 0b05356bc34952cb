/** @module Columns of codes that have a name: securities, parties, venues, accounts, addresses. */
import {
  isBic,
  isCardNumber,
  isCurrency,
  isCusip,
  isFigi,
  isIban,
  isIsin,
  isLei,
  isSedol,
} from "./check_digits.ts";
import { countryCodes, countryCodes3, marketCodes } from "./codes.ts";
import type { TextCounts } from "./reading.ts";

/** What a column identifies. */
export type Identifier =
  | "isin"
  | "cusip"
  | "sedol"
  | "figi"
  | "lei"
  | "iban"
  | "bic"
  | "mic"
  | "currency"
  | "country"
  | "country3"
  | "card"
  | "uuid"
  | "url"
  | "email"
  | "ip"
  | "mac";

interface Kind {
  name: Identifier;
  test(text: string): boolean;
  /** The chance that a text of the same form passes: how many it takes goes by it. */
  chance: number;
  /** Names of columns that make one text enough. */
  named: RegExp;
}

const word = (words: string) => new RegExp(`(?:^|[^a-z])(?:${words})s?(?:$|[^a-z])`, "i");
const countries2 = new Set(countryCodes);
const countries3 = new Set(countryCodes3);
const markets = new Set(marketCodes);
const octet = "(?:25[0-5]|2[0-4]\\d|1?\\d?\\d)";
const ipv4 = new RegExp(`^${octet}(?:\\.${octet}){3}(?:/\\d{1,2})?$`);

const kinds: readonly Kind[] = [
  { name: "isin", test: isIsin, chance: 0.01, named: word("isin") },
  { name: "lei", test: isLei, chance: 0.01, named: word("lei") },
  { name: "iban", test: isIban, chance: 0.01, named: word("iban") },
  { name: "figi", test: isFigi, chance: 0.03, named: word("figi|bbgid") },
  { name: "cusip", test: isCusip, chance: 0.1, named: word("cusip|cins") },
  { name: "sedol", test: isSedol, chance: 0.1, named: word("sedol") },
  { name: "card", test: isCardNumber, chance: 0.05, named: word("card|pan|cc|credit") },
  {
    name: "uuid",
    test: (text) => /^\{?[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}\}?$/i.test(text),
    chance: 1e-6,
    named: word("u?uid|guid"),
  },
  {
    name: "email",
    test: (text) => /^[^\s@,;]+@[\w-]+(?:\.[\w-]+)+$/.test(text),
    chance: 1e-4,
    named: word("e-?mail"),
  },
  {
    name: "url",
    test: (text) => /^(?:https?|ftps?|s3|gs|wss?):\/\/\S+$|^www\.\S+\.\S+$/i.test(text),
    chance: 1e-4,
    named: word("url|link|website"),
  },
  {
    name: "ip",
    test: (text) => ipv4.test(text) || (/^[\da-f:]{3,39}$/i.test(text) && isIpv6(text)),
    chance: 0.05,
    named: word("ip"),
  },
  {
    name: "mac",
    test: (text) => /^[\da-f]{2}([:-])(?:[\da-f]{2}\1){4}[\da-f]{2}$/i.test(text),
    chance: 1e-4,
    named: word("mac"),
  },
  { name: "currency", test: isCurrency, chance: 0.02, named: word("ccy|curr?|currency|iso") },
  {
    name: "mic",
    test: (text) => markets.has(text),
    chance: 0.01,
    named: word("mic|exchange|venue|market"),
  },
  { name: "bic", test: isBic, chance: 0.1, named: word("bic|swift") },
  {
    name: "country3",
    test: (text) => countries3.has(text),
    chance: 0.1,
    named: word("country|iso3?|nation\\w*|domicile"),
  },
  {
    name: "country",
    test: (text) => countries2.has(text),
    chance: 0.4,
    named: word("country|iso2?|nation\\w*|domicile|ctry"),
  },
];

/** Codes that are digits at times: a column of them is no column of numbers. */
export const neverNumbers: ReadonlySet<Identifier> = new Set(["cusip", "sedol", "card"]);

function isIpv6(text: string): boolean {
  const groups = text.split(":");
  if (groups.length < 3 || groups.length > 8) return false;
  const empty = groups.filter((group) => group === "").length;
  return groups.every((group) => group.length <= 4) && (groups.length === 8 || empty > 0);
}

const RIGHT_SHARE = 0.98;
const FIRST_LOOK = 100;
/** Chance that a column of other codes passes by luck. */
const LUCK_MAX = 1e-3;

/** What the codes are, with the share of texts that pass; null where they are none known. */
export function findIdentifier(
  name: string,
  texts: TextCounts,
): { identifier: Identifier; share: number } | null {
  const trimmed = [...texts.keys()].map((text) => text.trim());
  if (trimmed.length === 0) return null;
  const first = trimmed.slice(0, FIRST_LOOK);
  for (const { name: identifier, test, chance, named } of kinds) {
    if (first.filter(test).length < RIGHT_SHARE * first.length - 1) continue;
    const right = trimmed.filter(test).length;
    const share = right / trimmed.length;
    if (share < RIGHT_SHARE) continue;
    if (named.test(withSpaces(name)) || chance ** right < LUCK_MAX) return { identifier, share };
  }
  return null;
}

/** `countryCode` and `COUNTRY_CODE` as words. */
function withSpaces(name: string): string {
  return name.replace(/([a-z])([A-Z])/g, "$1 $2").replaceAll("_", " ");
}
