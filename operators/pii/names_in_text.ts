/**
 * @module Names of people and street addresses within a text, by the words around them and by usual
 * given names: it finds what stands where names stand, and misses those that nothing gives away.
 */
import type { PiiSpan } from "./classes.ts";
import { isGivenName } from "./person_names.ts";

const word = "\\p{Lu}[\\p{L}'’-]*";
const joined =
  `(?: (?:\\p{Lu}\\.|(?:van|von|de|da|di|der|den|del|la|le|bin|al|Mc|O')(?= )|${word}))`;
const full = `${word}\\.?${joined}{0,3}`;

/** What stands before a name, or behind it. Group 1 is the name. */
const frames: readonly [string, RegExp, number][] = [
  [
    "title",
    new RegExp(
      `\\b(?:Mr|Mrs|Ms|Miss|Dr|Prof|Sir|Herr|Frau|Mme|Mlle|[Mm]s|[Mm]r)\\.? (${full})`,
      "gu",
    ),
    0.85,
  ],
  [
    "introduction",
    new RegExp(
      `(?:\\b[Mm]y name is|\\b[Nn]ame ?[:=]|\\b[Aa]ttn\\.?:?|\\b[Cc]ontact:|\\b[Ss]igned(?: by)?:?|\\b[Rr]egards,|\\b[Mm]aiden name is|\\bpartner's name|\\bc\\/o) (${full})`,
      "gu",
    ),
    0.7,
  ],
  [
    "address_of",
    new RegExp(
      `(?:\\b[Tt]his is|\\bI am|\\bI'm|\\b[Dd]ear|\\b[Hh]i|\\b[Hh]ello,?|\\b(?:called|named)(?: him| her)?|\\bunder|\\b[Ff]rom:|\\b[Tt]o:) (${full})`,
      "gu",
    ),
    0.35,
  ],
  [
    "speaker",
    new RegExp(`(?:^|[.!?] )(${full}), (?:can|could|please|said|will|would)\\b`, "gu"),
    0.6,
  ],
  [
    "agent",
    new RegExp(`\\b(?:by|starring|featuring|heard|and|with|met|told|asked) (${full})`, "gu"),
    0.3,
  ],
];

const bare = new RegExp(`(?<![\\p{L}\\d@.-])(${word}(?:${joined}){1,3})`, "gu");
/** Words that begin sentences and names of things. */
const noName =
  /^(?:The|A|An|In|On|At|Of|For|And|But|Or|If|When|What|Where|Who|Why|How|Is|Are|Was|Were|It|Its|He|She|We|You|They|This|That|These|Those|There|Here|My|Our|Your|His|Her|Their|Please|Thanks|Thank|Hello|Hi|Dear|Yes|No|Not|So|Do|Does|Did|Can|Could|Will|Would|Should|Have|Has|Had|Just|Maybe|Meet|Date|Name|Phone|Address|Card|Title|Street|Personal|Info|Website|January|February|March|April|May|June|July|August|September|October|November|December|Monday|Tuesday|Wednesday|Thursday|Friday|Saturday|Sunday|Mr|Mrs|Ms|Dr|Miss|Prof|Bank|Inc|Ltd|Corp|Group|Fund|Trust|Street|Road|Avenue|University|Company)\.?$/;
const company =
  /\b(?:Inc|Corp|Ltd|LLC|LLP|PLC|plc|AG|GmbH|SA|NV|Group|Holdings?|Bank|Trust|Fund|Capital|Partners|Company|Co|Stanley|Sachs|Schwab|Chase|Street|Avenue|Road|Orchestra|University|School|Hospital|Act|Force)\b/;

/** Spans of names, the sure ones. */
export function findNames(text: string): PiiSpan[] {
  const found: PiiSpan[] = [];
  for (const [rule, pattern, score] of frames) {
    for (const match of text.matchAll(pattern)) {
      add(found, text, { name: match[1], start: match.index + match[0].lastIndexOf(match[1]) }, {
        rule,
        score,
      });
    }
  }
  for (const match of text.matchAll(bare)) {
    const [first] = match[1].split(" ");
    if (isGivenName(first)) {
      add(found, text, { name: match[1], start: match.index }, { rule: "given_name", score: 0.6 });
    }
  }
  return found;
}

function add(
  found: PiiSpan[],
  text: string,
  { name, start }: { name: string; start: number },
  { rule, score }: { rule: string; score: number },
): void {
  const words = name.replace(/['’]s$/, "").split(" ");
  while (words.length > 0 && noName.test(words[words.length - 1])) words.pop();
  if (words.length === 0 || noName.test(words[0])) return;
  const cut = words.join(" ").replace(
    /[.,]$/,
    (sign) => /\b\p{Lu}\.$/u.test(words.join(" ")) ? sign : "",
  );
  if (company.test(text.slice(start, start + cut.length + 8))) return;
  const sure = score + (words.some(isGivenName) ? 0.2 : 0);
  found.push({ kind: "name", start, end: start + cut.length, score: sure, rule });
}

const streetWord =
  "(?:Street|St|Avenue|Ave|Road|Rd|Boulevard|Blvd|Drive|Dr|Lane|Ln|Way|Court|Ct|Square|Sq|Place|Pl|Terrace|Parkway|Pkwy|Highway|Hwy|Circle|Crescent|Close|Row|Alley|Trail|Hill|Rue|rue|Via|via|Calle|calle|Rua|Avenida|Plaza|Platz|straße|strasse|gasse|weg|allee|vej|vägen|gatan|katu|utca|ulica|ul\\.)";
const address = new RegExp(
  `(?<![\\w/.-])(?:\\d{1,5}[A-Za-z]?(?:[-/]\\d{1,4})? (?:\\p{L}[\\p{L}.'’-]*,? ){0,4}?(?:\\p{L}+(?=straße|strasse|gasse|weg|allee|vej|vägen|gatan|katu))?${streetWord}\\b\\.?` +
    `|\\p{Lu}\\p{L}+(?:straße|strasse|gasse|weg|allee|vej|gatan|vägen) \\d{1,4}[a-z]?` +
    `|P\\.? ?O\\.? Box \\d{1,6}|(?:PSC|Unit|CMR) \\d{4},? Box \\d{1,5})` +
    `(?:[,\\s]+(?:Suite|Apt\\.?|Unit|Floor|#) ?\\d{1,5})?` +
    `(?:[,\\s]+\\p{Lu}[\\p{L} ]{2,20},? [A-Z]{2} \\d{5}(?:-\\d{4})?)?`,
  "gu",
);

/** Spans of street addresses. */
export function findAddresses(text: string): PiiSpan[] {
  return [...text.matchAll(address)].map((match) => ({
    kind: "address",
    start: match.index,
    end: match.index + match[0].length,
    score: 0.65,
    rule: "street",
  }));
}
