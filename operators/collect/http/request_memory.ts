/** @module What is known of earlier answers, for conditional requests: a durable state of the task. */
import type { FileRef } from "../../../src/model/data.ts";
import type { TaskContext } from "../../../src/sdk/context.ts";
import { createHash } from "node:crypto";
import type { CollectedPart } from "./collect_part.ts";
import type { Validators } from "./download.ts";
import type { Page } from "./fetch_page.ts";
import { firstPage } from "./paging.ts";
import { prepare } from "./prepare.ts";
import type { RequestPart } from "./request_params.ts";
import type { HttpSession } from "./session.ts";

/** The key in the task's state. */
export const memoryKey = "http.known";
const rememberMax = 100;

/** The content that a request brought, as long as its validators hold. */
export interface KnownContent {
  /** SHA-256 of the request without its secrets. */
  request: string;
  etag: string | null;
  lastModified: string | null;
  file: FileRef;
  at: string;
}

/** Requests of earlier successful attempts. */
export class RequestMemory {
  readonly #known: Map<string, KnownContent>;

  constructor(ctx: TaskContext) {
    const known = ctx.state.get<KnownContent[]>(memoryKey) ?? [];
    this.#known = new Map(known.map((entry) => [entry.request, entry]));
  }

  /** What to ask the source with; nothing when the file that it would confirm is gone. */
  async validators(
    session: HttpSession,
    part: RequestPart | undefined,
  ): Promise<Validators | undefined> {
    const known = this.#known.get(requestKey(session, part));
    if (known === undefined) return undefined;
    return await session.ctx.files.open(known.file).then(() => known, () => undefined);
  }

  /** The content that the source says is still so. */
  recall(session: HttpSession, part: RequestPart | undefined): CollectedPart {
    const known = this.#known.get(requestKey(session, part))!;
    session.log.info("Not modified since it was collected", {
      file: known.file.name,
      at: known.at,
    });
    return { files: [known.file], remember: [known] };
  }

  /** Remember a page that has validators. */
  note(
    session: HttpSession,
    { part, page, file, collected }: {
      part: RequestPart | undefined;
      page: Page & { kind: "page" };
      file: FileRef;
      collected: CollectedPart;
    },
  ): void {
    const { headers } = page.download;
    const etag = headers.get("etag");
    const lastModified = headers.get("last-modified");
    if (etag === null && lastModified === null) return;
    const at = session.ctx.clock.now().toISOString();
    collected.remember.push({ request: requestKey(session, part), etag, lastModified, file, at });
  }

  /** The state to store: the newest entries, at most {@link rememberMax}. */
  with(remember: readonly KnownContent[]): KnownContent[] {
    const fresh = new Set(remember.map((entry) => entry.request));
    const older = [...this.#known.values()].filter((entry) => !fresh.has(entry.request));
    return [...older, ...remember].slice(-rememberMax);
  }
}

/** The same for the same question, whatever the secret. */
function requestKey(session: HttpSession, part: RequestPart | undefined): string {
  const plain = {
    ...session.endpoint,
    auth: { kind: "none" } as const,
    headers: {},
  };
  const ask = firstPage(session.params.paging);
  const { method, url, body } = prepare(plain, session.params, { part, ask });
  return createHash("sha256").update(`${method} ${url.href} ${body ?? ""}`).digest("hex");
}
