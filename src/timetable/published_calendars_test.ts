/** @module Bundled calendars against published ones of six exchanges, day by day from 2000 to 2030. */
import { assert, assertEquals } from "@std/assert";
import { calendarOf, readCalendar } from "./bundled_calendars.ts";
import { dayOf, type Session } from "./calendar.ts";

const DAY = 86_400_000;
const folder = new URL("../../tests/fixtures/calendars/", import.meta.url);

interface Published {
  kind: string;
  openUtc: string;
  closeUtc: string;
}

function published(mic: string): Map<string, Published> {
  const lines = Deno.readTextFileSync(new URL(`${mic}.csv`, folder)).trim().split(/\r?\n/).slice(1);
  return new Map(lines.map((line) => {
    const [date, kind, , , openUtc, closeUtc] = line.split(",");
    return [date, { kind, openUtc, closeUtc }];
  }));
}

const shown = (session: Session | null) =>
  session && `${new Date(session.openMs).toISOString()} ${new Date(session.closeMs).toISOString()}`;

for (const mic of ["XETR", "XHKG", "XLON", "XNYS", "XPAR", "XTKS"]) {
  Deno.test(`${mic} has the sessions and early closes that were published`, () => {
    const days = published(mic);
    const calendar = calendarOf(mic);
    const until = readCalendar(mic).until;
    const last = [...days.keys()].sort().at(-1)!;
    assert(until >= last.slice(0, 10), `it ends on ${until}`);
    const wrong: string[] = [];
    let sessions = 0;
    for (let day = dayOf("2000-01-04"); day <= dayOf(last); day++) {
      const date = new Date(day * DAY).toISOString().slice(0, 10);
      const session = calendar.sessionOn(day, Infinity);
      const known = days.get(date);
      const weekday = new Date(day * DAY).getUTCDay();
      const isOpen = known ? known.kind !== "holiday" : weekday !== 0 && weekday !== 6;
      if (session) sessions++;
      if (isOpen !== (session !== null)) wrong.push(`${date}: ${shown(session)} ${known?.kind}`);
      if (known?.kind !== "early_close" || !session) continue;
      const expected = [known.openUtc, known.closeUtc].map((at) => Date.parse(at));
      if (expected[0] !== session.openMs || expected[1] !== session.closeMs) {
        wrong.push(`${date}: ${shown(session)} is not ${known.openUtc} ${known.closeUtc}`);
      }
    }
    assertEquals(wrong, []);
    assert(sessions > 7_000);
  });
}
