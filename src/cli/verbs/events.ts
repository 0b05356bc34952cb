/** @module The verb events: whom callbacks and deadlines told, and what came of it. */
import { CliError, segment } from "../client.ts";
import { printFacts, printTable } from "../print.ts";
import type { Page } from "../shapes.ts";
import { text, type Verb } from "../verb.ts";

/** An event as the API gives it. */
interface EventShape {
  event_seq: number;
  event_id: string;
  type: string;
  dag_id: string;
  subject: string;
  occurred_at: string;
  target: string;
  state: string;
  tries: number;
  next_try_at: string | null;
  last_error: string | null;
}

export const events: Verb = {
  name: "events",
  summary:
    "List events of callbacks and deadlines, newest first; `retry <number>` delivers one again",
  arguments: [
    { name: "[action]", doc: "list (default) or retry" },
    { name: "[number]", doc: "retry: which one" },
  ],
  options: [
    { flags: "--state <state...>", doc: "Only pending, delivered or dead ones", many: true },
    { flags: "--dag <dag>", doc: "Only of this DAG" },
    { flags: "--limit <n>", doc: "At most this many", default: "25" },
  ],
  async run({ api, output }, [action = "list", number], options) {
    if (action === "retry") {
      if (number === undefined) throw new CliError("Which event? events retry <number>");
      const again = await api.post<EventShape>(
        `/api/v2/events/${segment(number)}/redeliver`,
        {},
      );
      printFacts(output, again, {
        event: again.event_seq,
        type: again.type,
        subject: again.subject,
        state: again.state,
      });
      return 0;
    }
    if (action !== "list") throw new CliError(`Cannot ${action} events: say list or retry`);
    const page = await api.get<Page<"events", EventShape>>("/api/v2/events", {
      limit: text(options, "limit"),
      state: options.state as string[] | undefined,
      dag_id: text(options, "dag"),
    });
    printTable(output, page, page.events, {
      "#": (one) => one.event_seq,
      at: (one) => one.occurred_at,
      type: (one) => one.type.replace("tidewheel.", ""),
      dag: (one) => one.dag_id,
      subject: (one) => one.subject,
      to: (one) => one.target,
      state: (one) => one.state,
      tries: (one) => one.tries,
      error: (one) => one.last_error,
    });
    return 0;
  },
};
