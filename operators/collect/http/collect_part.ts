/** @module All pages of one part, each put into object storage as one raw file. */
import type { FileRef } from "../../../src/model/data.ts";
import { HttpFailure } from "./failure.ts";
import { fetchPage, type Page, PageFailure } from "./fetch_page.ts";
import { firstPage, nextPage, type PageAsk, statedTotal } from "./paging.ts";
import { prepare } from "./prepare.ts";
import { SeenRecords } from "./records.ts";
import type { RequestPart } from "./request_params.ts";
import type { HttpSession } from "./session.ts";
import type { KnownContent, RequestMemory } from "./request_memory.ts";

/** The files of a part, and what to remember of them. */
export interface CollectedPart {
  files: FileRef[];
  remember: KnownContent[];
}

/** Collect one part (or the only one). Throws as {@link fetchPage} does. */
export async function collectPart(
  session: HttpSession,
  part: RequestPart | undefined,
  memory: RequestMemory | null,
): Promise<CollectedPart> {
  const { params: { paging }, counters } = session;
  const seen = new SeenRecords();
  const collected: CollectedPart = { files: [], remember: [] };
  let recordsSoFar = 0;
  for (let ask: PageAsk | null = firstPage(paging); ask !== null;) {
    const page = await fetchOnce(session, { part, ask, seen, memory });
    if (page.kind === "not_modified") {
      counters.notModified++;
      return memory!.recall(session, part);
    }
    const body = page.kind === "page" ? page.body : null;
    const records = body === null ? [] : body.records;
    const repeated = records === null ? 0 : seen.repeats(records);
    seen.add(records ?? []);
    recordsSoFar += (records?.length ?? 0) - repeated;
    counters.pages++;
    counters.records += records?.length ?? 0;
    counters.repeatedRecords += repeated;
    if (page.kind === "page" && (ask.page === 1 || records?.length !== 0)) {
      const file = await storePage(session, { page, part, ask, records: records?.length });
      collected.files.push(file);
      if (paging.kind === "none") memory?.note(session, { part, page, file, collected });
    }
    ask = follow(session, part, ask, { page, records: records?.length ?? null, recordsSoFar });
  }
  return collected;
}

/** A page that does not bring again what an earlier one brought, if the source can be moved to. */
async function fetchOnce(
  session: HttpSession,
  { part, ask, seen, memory }: {
    part: RequestPart | undefined;
    ask: PageAsk;
    seen: SeenRecords;
    memory: RequestMemory | null;
  },
): Promise<Page> {
  const { params, ctx } = session;
  const prepared = prepare(session.endpoint, params, { part, ask });
  let refused = 0;
  return await fetchPage(session, {
    prepared,
    path: `${ctx.workDir}/${fileName(session, part, ask)}`,
    known: params.paging.kind === "none" ? await memory?.validators(session, part) : undefined,
    refuse: ({ body: { records } }, tries) => {
      if (records === null || records.length < 2) return;
      const repeated = seen.repeats(records);
      if (repeated * 2 < records.length) return;
      const whole = repeated === records.length;
      if (!whole && (refused >= 2 || tries >= params.requestRetry.tries)) return;
      refused++;
      throw new HttpFailure(
        "retry",
        `${repeated} of the ${records.length} records of page ${ask.page} came in earlier pages ` +
          "already" + (whole ? "; do the paging parameters have the names that it knows?" : ""),
      );
    },
  });
}

function follow(
  session: HttpSession,
  part: RequestPart | undefined,
  ask: PageAsk,
  { page, records, recordsSoFar }: {
    page: Page & { kind: "page" | "empty" };
    records: number | null;
    recordsSoFar: number;
  },
): PageAsk | null {
  const { paging } = session.params;
  if (page.kind === "empty") return null;
  const { document } = page.body;
  try {
    const seen = { document, headers: page.download.headers, records, recordsSoFar };
    const next = nextPage(paging, ask, seen);
    const total = next === null ? statedTotal(paging, document) : null;
    if (total !== null && recordsSoFar < total) {
      throw new HttpFailure(
        "retry",
        `the source says that there are ${total} records and its ${ask.page} pages had ` +
          `${recordsSoFar} different ones`,
      );
    }
    return next;
  } catch (error) {
    if (!(error instanceof HttpFailure)) throw error;
    const where = part ? `part "${part.name}" of "${session.source}"` : `"${session.source}"`;
    const message = `Cannot collect ${where} past page ${ask.page}: ${error.message}`;
    throw new PageFailure(session.redact(message), error, 1);
  }
}

async function storePage(
  session: HttpSession,
  { page, part, ask, records }: {
    page: Page & { kind: "page" };
    part: RequestPart | undefined;
    ask: PageAsk;
    records: number | undefined;
  },
): Promise<FileRef> {
  const { download: { path, bytes, sha256, headers } } = page;
  const name = fileName(session, part, ask);
  const mediaType = headers.get("content-type")?.split(";")[0].trim() || undefined;
  const file = await session.ctx.files.put(path, { name, mediaType, rows: records });
  if (file.sha256 !== sha256) {
    throw new Error(
      `Cannot store ${name}: it was received with SHA-256 ${sha256} and stored with ` +
        `${file.sha256}; the disk changed it`,
    );
  }
  session.log.info(`Collected ${name}`, { bytes, records: records ?? null });
  const labels = part?.labels ?? {};
  return Object.keys(labels).length > 0 ? { ...file, labels } : file;
}

const extensions = { json: "json", ndjson: "ndjson", csv: "csv", tsv: "tsv", xml: "xml" };

/** `alpha_vantage.daily-ibm-p0001.json`: made of what the DAG says, never of a URL. */
function fileName(session: HttpSession, part: RequestPart | undefined, ask: PageAsk): string {
  const { source, params: { format, paging } } = session;
  const names = [source, ...(part ? [part.name] : [])];
  if (paging.kind !== "none") names.push(`p${String(ask.page).padStart(4, "0")}`);
  const extension = format === "binary" ? "bin" : extensions[format];
  return `${session.redact(names.join("-")).replaceAll(/[^A-Za-z0-9._-]+/g, "_")}.${extension}`;
}
