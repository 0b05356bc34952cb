/** @module The sandbox as a function from requests to responses. */
import type { Clock } from "../base/clock.ts";
import { type Answer, json, text, toWire } from "./answer.ts";
import { type Fault, type FaultRule, Faults } from "./faults.ts";
import { defaultKeys, KeyRing, type Quota } from "./keys.ts";
import { send } from "./send.ts";
import { alphaVantage } from "./vendors/alpha_vantage.ts";
import { ecb } from "./vendors/ecb.ts";
import { marketstack } from "./vendors/marketstack.ts";
import { stooq } from "./vendors/stooq.ts";
import type { Vendor } from "./vendors/vendor.ts";

/** Every vendor; each has the first segment of the path. */
export const vendors: readonly Vendor[] = [marketstack, alphaVantage, stooq, ecb];

/** Requests that are remembered for {@link Sandbox.seen}. */
const seenMax = 500;

/** What a sandbox is made with. */
export interface SandboxOptions {
  clock: Clock;
  /** API keys and what they allow; `demo` (600 a minute) and `free` (5 a minute, 25 a day). */
  keys?: Readonly<Record<string, Quota>>;
  /** Figures are given out as they were known then; the clock's time, so all of them. */
  asOf?: Date;
}

/** A request that came, without its body. */
export interface SeenRequest {
  method: string;
  path: string;
  headers: Record<string, string>;
}

/** Vendors with their manners, and the switches that spoil them. */
export interface Sandbox {
  handle(request: Request): Promise<Response>;
  faults: Faults;
  /** Move to another "known as of"; null: the clock's. */
  setAsOf(at: Date | null): void;
  /** The newest requests to vendors, oldest first. */
  seen: readonly SeenRequest[];
}

/** A sandbox. Its switches are also at `/_sandbox/faults` and `/_sandbox/as-of`. */
export function createSandbox({ clock, keys = defaultKeys, asOf }: SandboxOptions): Sandbox {
  const keyRing = new KeyRing(keys);
  const faults = new Faults();
  const seen: SeenRequest[] = [];
  let fixedAsOf: Date | null = asOf ?? null;
  const sandbox: Sandbox = {
    faults,
    seen,
    setAsOf(at) {
      fixedAsOf = at;
    },
    async handle(request) {
      const url = new URL(request.url);
      if (url.pathname === "/") return new Response(indexPage(), { headers: plain });
      if (url.pathname.startsWith("/_sandbox/")) return await control(sandbox, request, url);
      const vendor = vendors.find(({ name }) => url.pathname.startsWith(`/${name}/`));
      if (!vendor) return new Response("Not Found\n", { status: 404, headers: plain });
      remember(seen, request, url);
      return await serve(request, { vendor, url, fault: faults.take(url) });
    },
  };
  return sandbox;

  async function serve(
    request: Request,
    { vendor, url, fault }: { vendor: Vendor; url: URL; fault: Fault | null },
  ): Promise<Response> {
    if (fault?.kind === "silent") await new Promise<never>(() => {});
    const now = clock.now();
    const answer = inPlaceOfData(vendor, fault, now) ?? vendor.answer({
      path: url.pathname.slice(vendor.name.length + 1),
      query: shiftPage(url.searchParams, fault),
      headers: request.headers,
      asOf: fixedAsOf ?? now,
      admit: (key) => keyRing.admit(vendor.name, key, now),
    });
    return send(toWire(answer, spoilRange(request, fault)), fault);
  }
}

const plain = { "content-type": "text/plain; charset=utf-8" };

/** The answer that a fault gives before the vendor is asked. */
function inPlaceOfData(vendor: Vendor, fault: Fault | null, now: Date): Answer | null {
  switch (fault?.kind) {
    case "throttle":
      return vendor.throttled(fault.retryAfterS);
    case "error":
      return vendor.failed();
    case "html": {
      const page = "<!DOCTYPE html><html><head><title>Scheduled maintenance</title></head>" +
        "<body><h1>We will be back soon</h1></body></html>";
      return text(page, 200, "text/html");
    }
    case "redirect":
      return { ...text("", 302), headers: { location: fault.to } };
    case "status": {
      const { status, retryAfterDateS } = fault;
      const date = retryAfterDateS === undefined
        ? undefined
        : new Date(now.getTime() + retryAfterDateS * 1000).toUTCString();
      const retryAfter = fault.retryAfter ?? date;
      const headers: Record<string, string> = { date: now.toUTCString() };
      if (retryAfter !== undefined) headers["retry-after"] = retryAfter;
      return { ...text(`Status ${status}`, status), headers };
    }
    default:
      return null;
  }
}

/** Parameters that give the page before, or half of it, in place of the one that was asked for. */
function shiftPage(query: URLSearchParams, fault: Fault | null): URLSearchParams {
  const back = fault?.kind === "page_twice" ? 1 : fault?.kind === "half_page_twice" ? 0.5 : 0;
  const limit = Number(query.get("limit"));
  const offset = Number(query.get("offset"));
  if (back === 0 || !limit || !offset) return query;
  const shifted = new URLSearchParams(query);
  shifted.set("offset", String(Math.max(0, offset - Math.ceil(limit * back))));
  return shifted;
}

function spoilRange(request: Request, fault: Fault | null): Request {
  const range = request.headers.get("range");
  const spoils = fault?.kind === "no_ranges" || fault?.kind === "wrong_range";
  if (range === null || !spoils) return request;
  const headers = new Headers(request.headers);
  if (fault.kind === "no_ranges") headers.delete("range");
  else headers.set("range", range.replace(/\d+/, (start) => String(Math.floor(+start / 2))));
  return new Request(request.url, { method: request.method, headers });
}

function remember(seen: SeenRequest[], { method, headers }: Request, url: URL): void {
  seen.push({ method, path: url.pathname + url.search, headers: Object.fromEntries(headers) });
  if (seen.length > seenMax) seen.shift();
}

/** `/_sandbox/faults` (GET, POST {@link FaultRule}, DELETE), `/_sandbox/as-of` (PUT {at}). */
async function control(sandbox: Sandbox, request: Request, url: URL): Promise<Response> {
  const reply = (answer: Answer) => send(toWire(answer, request), null);
  switch (`${request.method} ${url.pathname}`) {
    case "GET /_sandbox/faults":
      return reply(json(sandbox.faults.list()));
    case "POST /_sandbox/faults": {
      const rule = await request.json().catch(() => null);
      if (typeof rule?.fault?.kind !== "string") {
        return reply(
          json({ error: 'A fault rule is {"fault": {"kind": …}, "match", "times"}' }, 400),
        );
      }
      sandbox.faults.add(rule as FaultRule);
      return reply(json(sandbox.faults.list()));
    }
    case "DELETE /_sandbox/faults":
      sandbox.faults.clear();
      return reply(json([]));
    case "PUT /_sandbox/as-of": {
      const body = await request.json().catch(() => null);
      const at = body?.at === null ? null : new Date(body?.at);
      if (at !== null && Number.isNaN(at.getTime())) {
        return reply(
          json({ error: '"as of" is {"at": an ISO instant, or null for the clock}' }, 400),
        );
      }
      sandbox.setAsOf(at);
      return reply(json({ at }));
    }
  }
  return reply(json({ error: `No such switch: ${request.method} ${url.pathname}` }, 404));
}

function indexPage(): string {
  return [
    "Tidewheel sandbox: real figures in the shapes and with the manners of vendors.",
    "",
    ...vendors.map(({ name, about }) => `${name}\n    ${about}\n`),
    "API keys: demo (600 a minute), free (5 a minute, 25 a day).",
    "Switches: /_sandbox/faults and /_sandbox/as-of; see docs/guides/sandbox.md.",
    "",
  ].join("\n");
}
