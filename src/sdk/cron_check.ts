/** @module Is a string a cron expression? A light check: it loads nothing and computes no times. */

interface Field {
  name: string;
  min: number;
  max: number;
  names: readonly string[];
  /** Value of the first name. */
  base: number;
}

const second: Field = { name: "second", min: 0, max: 59, names: [], base: 0 };

const fields: readonly Field[] = [
  { name: "minute", min: 0, max: 59, names: [], base: 0 },
  { name: "hour", min: 0, max: 23, names: [], base: 0 },
  { name: "day of month", min: 1, max: 31, names: [], base: 1 },
  {
    name: "month",
    min: 1,
    max: 12,
    names: ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"],
    base: 1,
  },
  {
    name: "day of week",
    min: 0,
    max: 7,
    names: ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"],
    base: 0,
  },
];

/** Most days that the months have, January first. */
const monthDays = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

/** Why `cron` (upper case) is not five cron fields, or six with seconds first, that some day fits; null when it is. */
export function cronProblem(cron: string): string | null {
  const parts = cron.split(" ");
  if (parts.length !== 5 && parts.length !== 6) {
    return `it has ${parts.length} fields; give five: minute hour day-of-month month ` +
      `day-of-week, or six with seconds first`;
  }
  const given = parts.length === 6 ? [second, ...fields] : fields;
  for (const [i, field] of given.entries()) {
    const problem = fieldProblem(parts[i], field);
    if (problem) return problem;
  }
  const [days, months, weekdays] = parts.slice(-3);
  return dayProblem(days, months, weekdays);
}

function fieldProblem(text: string, field: Field): string | null {
  for (const item of text.split(",")) {
    if (!itemFits(item, field)) {
      const names = field.names.length > 0 ? `, ${field.names[0]} to ${field.names.at(-1)}` : "";
      return `"${text}" does not fit the ${field.name} (${field.min} to ${field.max}${names}, ` +
        `with * , - and /)`;
    }
  }
  return null;
}

function itemFits(item: string, field: Field): boolean {
  if (field.name === "day of month" && item === "L") return true;
  if (field.name === "day of week") {
    const special = /^(\w+?)(L|#[1-5])$/.exec(item);
    if (special) return valueOf(special[1], field) !== null;
  }
  const match = /^(\*|\?|(\w+)(?:-(\w+))?)(?:\/(\d+))?$/.exec(item);
  if (!match) return false;
  const [, range, first, last, step] = match;
  if (range === "?" && !field.name.startsWith("day")) return false;
  if (step !== undefined && (Number(step) < 1 || Number(step) > field.max)) return false;
  if (first === undefined) return true;
  const from = valueOf(first, field);
  const to = last === undefined ? from : valueOf(last, field);
  return from !== null && to !== null && from <= to;
}

function valueOf(text: string, field: Field): number | null {
  const named = field.names.indexOf(text);
  if (named >= 0) return named + field.base;
  const value = /^\d{1,2}$/.test(text) ? Number(text) : NaN;
  return value >= field.min && value <= field.max ? value : null;
}

/** A day of month that none of the months has, when no day of week could stand in for it. */
function dayProblem(days: string, months: string, weekdays: string): string | null {
  if (!/^[\d,]+$/.test(days) || !/^[*?]$/.test(weekdays)) return null;
  const field = fields[3];
  const allowed = months.split(",").flatMap((item) => {
    const value = valueOf(item, field);
    return value === null ? monthDays : [monthDays[value - 1]];
  });
  const least = Math.min(...days.split(",").map(Number));
  return least > Math.max(...allowed) ? `no month of "${months}" has a day ${least}` : null;
}
