/** @module The verb pools: slots that tasks share, and when none of them are given out. */
import { CliError, type RestClient, segment } from "../client.ts";
import { type Output, printFacts, printTable } from "../print.ts";
import type { Page } from "../shapes.ts";
import { text, type Verb, type VerbContext, type VerbOptions } from "../verb.ts";

/** A pool as the API gives it. */
interface PoolShape {
  name: string;
  slots: number;
  description: string | null;
  occupied_slots: number;
  scheduled_slots: number;
  closings: Closings | null;
  is_closed: boolean;
  changes_at: string | null;
}

interface Closings {
  timezone: string;
  maintenance: { from: string; minutes: number; on: string[] }[];
  blackout: { from: string; to: string }[];
}

const path = "/api/v2/pools";

export const pools: Verb = {
  name: "pools",
  summary: "List pools; `set <name>` makes or changes one; `delete <name>` removes it",
  arguments: [
    { name: "[action]", doc: "list (default), set or delete" },
    { name: "[name]", doc: "The pool" },
  ],
  options: [
    { flags: "--slots <n>", doc: "set: its slots; -1: without limit" },
    { flags: "--description <text>", doc: "set: what it is for" },
    {
      flags: "--maintenance <window...>",
      doc: 'set: it gives no slots out in these, such as "22:00 4h SAT,SUN" or "02:00 30m"',
      many: true,
    },
    {
      flags: "--blackout <dates...>",
      doc: "set: nor on these, such as 2026-12-24 or 2026-12-24..2026-12-26",
      many: true,
    },
    { flags: "--timezone <zone>", doc: "set: zone of windows and dates (default: UTC)" },
    { flags: "--always-open", doc: "set: take all windows and dates away" },
  ],
  async run(context, [action = "list", name], options) {
    const act = actions[action];
    if (!act) throw new CliError(`Cannot ${action} pools: say list, set <name> or delete <name>`);
    if (action !== "list" && name === undefined) {
      throw new CliError(`Which pool? pools ${action} <name>`);
    }
    return await act(context, name, options);
  },
};

type Action = (context: VerbContext, name: string, options: VerbOptions) => Promise<number>;

const actions: Readonly<Record<string, Action | undefined>> = {
  async list({ api, output }) {
    const page = await api.get<Page<"pools", PoolShape>>(path, { limit: 1000 });
    printTable(output, page, page.pools, {
      pool: (pool) => pool.name,
      slots: (pool) => pool.slots,
      taken: (pool) => pool.occupied_slots,
      waiting: (pool) => pool.scheduled_slots,
      state: stateOf,
      closings: (pool) => pool.closings && closingsText(pool.closings),
      for: (pool) => pool.description || null,
    });
    return 0;
  },

  async set({ api, output }, name, options) {
    const known = await find(api, name);
    const body = {
      ...(options.slots === undefined ? {} : { slots: slotsOf(String(options.slots)) }),
      ...(options.description === undefined ? {} : { description: options.description }),
      ...closingsOf(options, known?.closings ?? null),
    };
    if (!known && !("slots" in body)) {
      throw new CliError(`There is no pool "${name}" yet: give --slots to make it`);
    }
    const pool = known
      ? await api.patch<PoolShape>(`${path}/${segment(name)}`, body)
      : await api.post<PoolShape>(path, { name, ...body });
    print(output, pool);
    return 0;
  },

  async delete({ api, output }, name) {
    await api.delete(`${path}/${segment(name)}`);
    printFacts(output, { name, deleted: true }, { pool: name, deleted: true });
    return 0;
  },
};

async function find(api: RestClient, name: string): Promise<PoolShape | undefined> {
  const page = await api.get<Page<"pools", PoolShape>>(path, { limit: 1000 });
  return page.pools.find((pool) => pool.name === name);
}

function closingsOf(options: VerbOptions, known: Closings | null): { closings?: Closings | null } {
  if (options.alwaysOpen === true) return { closings: null };
  const { maintenance, blackout } = options;
  const timezone = text(options, "timezone");
  if (maintenance === undefined && blackout === undefined && timezone === undefined) return {};
  return {
    closings: {
      timezone: timezone ?? known?.timezone ?? "UTC",
      maintenance: Array.isArray(maintenance)
        ? maintenance.map(windowOf)
        : known?.maintenance ?? [],
      blackout: Array.isArray(blackout) ? blackout.map(datesOf) : known?.blackout ?? [],
    },
  };
}

const allDays = ["MON", "TUE", "WED", "THU", "FRI", "SAT", "SUN"];

/** `22:00 4h SAT,SUN`. */
export function windowOf(given: string): Closings["maintenance"][number] {
  const match = /^([01]\d|2[0-3]):([0-5]\d)\s+(?:(\d+)h)?(?:(\d+)m)?(?:\s+([A-Za-z,]+))?$/
    .exec(given.trim());
  const [, hour, minute, hours, minutes, days] = match ?? [];
  const on = days === undefined ? allDays : days.toUpperCase().split(",");
  const length = Number(hours ?? 0) * 60 + Number(minutes ?? 0);
  if (match && length > 0 && on.every((day) => allDays.includes(day))) {
    return { from: `${hour}:${minute}`, minutes: length, on };
  }
  throw new CliError(
    `Cannot use --maintenance "${given}": give begin, length and days, as "22:00 4h SAT,SUN"`,
  );
}

function datesOf(given: string): Closings["blackout"][number] {
  const [from, to = from] = given.split("..");
  if ([from, to].every((date) => /^\d{4}-\d\d-\d\d$/.test(date))) return { from, to };
  throw new CliError(
    `Cannot use --blackout "${given}": give a date or two, as 2026-12-24..2026-12-26`,
  );
}

function slotsOf(given: string): number {
  const slots = Number(given);
  if (Number.isInteger(slots) && slots >= -1) return slots;
  throw new CliError(`Cannot use --slots ${given}: it must be a number, -1 for no limit`);
}

function stateOf({ is_closed, changes_at }: PoolShape): string {
  if (is_closed) return `closed until ${changes_at}`;
  return changes_at === null ? "open" : `open until ${changes_at}`;
}

function closingsText({ timezone, maintenance, blackout }: Closings): string {
  const windows = maintenance.map(({ from, minutes, on }) =>
    `${from} ${minutes}m${on.length === 7 ? "" : ` ${on.join(",")}`}`
  );
  const dates = blackout.map(({ from, to }) => from === to ? from : `${from}..${to}`);
  return `${[...windows, ...dates].join("; ")} (${timezone})`;
}

function print(output: Output, pool: PoolShape): void {
  printFacts(output, pool, {
    pool: pool.name,
    slots: pool.slots,
    state: stateOf(pool),
    ...(pool.closings ? { closings: closingsText(pool.closings) } : {}),
  });
}
