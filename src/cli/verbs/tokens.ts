/** @module The verb tokens: who may use the API, and which workers may claim. */
import { CliError, segment } from "../client.ts";
import { type Output, printFacts, printTable } from "../print.ts";
import type { Page } from "../shapes.ts";
import { text, type Verb, type VerbContext, type VerbOptions } from "../verb.ts";

/** A token as the API gives it. */
interface TokenShape {
  token_id: string;
  name: string;
  role: string;
  queues: string[] | null;
  created_by: string | null;
  created_at: string;
  expires_at: string | null;
  last_used_at: string | null;
  revoked_at: string | null;
  is_active: boolean;
}

const path = "/api/v2/tokens";

export const tokens: Verb = {
  name: "tokens",
  summary: "List tokens; `create <name>` makes one and shows it once; `revoke <id>` ends one",
  arguments: [
    { name: "[action]", doc: "list (default), create or revoke" },
    { name: "[subject]", doc: "create: whom the token is for; revoke: the token's id" },
  ],
  options: [
    { flags: "--role <role>", doc: "create: viewer, user, op or admin (default: viewer)" },
    { flags: "--expires-days <n>", doc: "create: it ends by itself; without: when it is revoked" },
    { flags: "--worker", doc: "create: for a worker, which gets it as TIDEWHEEL_TOKEN" },
    {
      flags: "--queue <name...>",
      doc: "create --worker: what it may claim from; *: all",
      many: true,
    },
    { flags: "--all", doc: "list: those revoked and expired too" },
    { flags: "--limit <n>", doc: "list: at most this many", default: "100" },
  ],
  async run(context, [action = "list", subject], options) {
    const act = actions[action];
    if (act) return await act(context, subject, options);
    throw new CliError(`Cannot ${action} tokens: say list, create <name> or revoke <id>`);
  },
};

type Action = (
  context: VerbContext,
  subject: string | undefined,
  options: VerbOptions,
) => Promise<number>;

const actions: Readonly<Record<string, Action | undefined>> = {
  async list({ api, output }, _subject, options) {
    const page = await api.get<Page<"tokens", TokenShape>>(path, {
      limit: text(options, "limit"),
      active: options.all !== true,
    });
    printTable(output, page, page.tokens, {
      id: (one) => one.token_id,
      name: (one) => one.name,
      role: (one) => one.role,
      queues: (one) => one.queues?.join(", "),
      "made by": (one) => one.created_by,
      made: (one) => one.created_at,
      "last used": (one) => one.last_used_at,
      ends: (one) => one.revoked_at ? `revoked ${one.revoked_at}` : one.expires_at,
    });
    return 0;
  },

  async create({ api, output }, name, options) {
    if (name === undefined) throw new CliError("Whom is the token for? tokens create <name>");
    const made = await api.post<TokenShape & { token: string }>(path, bodyOf(name, options));
    print(output, made, { token: made.token });
    if (!output.json) output.err("Keep the token now: it is not shown again\n");
    return 0;
  },

  async revoke({ api, output }, id) {
    if (id === undefined) throw new CliError("Which token? tokens revoke <id>; tokens lists them");
    print(output, await api.delete(`${path}/${segment(id)}`) as TokenShape, {});
    return 0;
  },
};

function bodyOf(name: string, { role, worker, queue, expiresDays }: VerbOptions) {
  const isWorker = worker === true || queue !== undefined;
  if (isWorker && role !== undefined) {
    throw new CliError("A worker's token has no other role: leave out --role, or --worker");
  }
  if (isWorker && queue === undefined) {
    throw new CliError("Which queues may the worker claim from? --queue <name...>; '*': all");
  }
  return {
    name,
    role: isWorker ? "worker" : role ?? "viewer",
    ...(isWorker ? { queues: queue } : {}),
    ...(expiresDays === undefined ? {} : { expires_in_days: daysOf(String(expiresDays)) }),
  };
}

/** JSON turns what is no number into null, and a token without an end is not what was asked for. */
function daysOf(text: string): number {
  const days = Number(text);
  if (Number.isFinite(days) && days > 0) return days;
  throw new CliError(`Cannot use --expires-days ${text}: it must be a number of days above 0`);
}

function print(output: Output, one: TokenShape, more: Record<string, unknown>): void {
  printFacts(output, one, {
    id: one.token_id,
    name: one.name,
    role: one.role,
    ...(one.queues ? { queues: one.queues.join(", ") } : {}),
    ends: one.revoked_at ? `revoked ${one.revoked_at}` : one.expires_at ?? "when it is revoked",
    ...more,
  });
}
