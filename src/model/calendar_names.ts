/**
 * @module Names of the bundled calendars. Authors' files are checked against these, so that nothing
 * that imports a DAG file loads a calendar.
 */

/** MICs, and names of calendars that are no exchange's; one file each in configs/calendars. */
export const calendarNames = [
  "24x7",
  "ASEX",
  "BVMF",
  "SIFMA",
  "TARGET",
  "UKBANK",
  "USFED",
  "XAMS",
  "XASX",
  "XBOM",
  "XBRU",
  "XBUD",
  "XCBF",
  "XCME",
  "XCSE",
  "XDUB",
  "XETR",
  "XEUR",
  "XFRA",
  "XHEL",
  "XHKG",
  "XIST",
  "XJSE",
  "XKRX",
  "XLIS",
  "XLON",
  "XMAD",
  "XMEX",
  "XMIL",
  "XNYS",
  "XNZE",
  "XOSL",
  "XPAR",
  "XPRA",
  "XSAU",
  "XSES",
  "XSHG",
  "XSTO",
  "XSWX",
  "XTAI",
  "XTKS",
  "XTSE",
  "XWAR",
  "XWBO",
] as const;
/** One of {@link calendarNames}. */
export type CalendarName = (typeof calendarNames)[number];
