/** @module Time zones as stretches of constant offset from UTC. */
import { AppError } from "../model/errors.ts";

/** Instants in [startMs, endMs) have local time = UTC + offsetMs. */
export interface Stretch {
  startMs: number;
  endMs: number;
  offsetMs: number;
}

const found = new Map<string, Stretch[]>();
const STRETCHES_MAX = 64;

/** The stretch that holds an instant; throws INVALID for a zone that is not an IANA name. */
export function stretchAt(timezone: string, atMs: number): Stretch {
  let stretches = found.get(timezone);
  if (!stretches) found.set(timezone, stretches = []);
  const known = stretches.find((s) => s.startMs <= atMs && atMs < s.endMs);
  if (known) return known;
  const stretch = findStretch(timezone, atMs);
  if (stretches.length >= STRETCHES_MAX) stretches.length = 0;
  stretches.push(stretch);
  return stretch;
}

/** Throws INVALID when `timezone` is not an IANA time zone that is known here. */
export function checkTimezone(timezone: string): void {
  stretchAt(timezone, 0);
}

function findStretch(timezone: string, atMs: number): Stretch {
  const at = zoned(timezone, atMs);
  return {
    // A transition at `atMs` itself starts the stretch, and `previous` looks strictly before.
    startMs: zoned(timezone, atMs + 1).getTimeZoneTransition("previous")?.epochMilliseconds ??
      -Infinity,
    endMs: at.getTimeZoneTransition("next")?.epochMilliseconds ?? Infinity,
    offsetMs: at.offsetNanoseconds / 1e6,
  };
}

function zoned(timezone: string, atMs: number): Temporal.ZonedDateTime {
  try {
    return Temporal.Instant.fromEpochMilliseconds(atMs).toZonedDateTimeISO(timezone);
  } catch (cause) {
    throw new AppError(
      "INVALID",
      `Cannot use "${timezone}" as a time zone: it is not a known IANA name such as "Europe/Berlin"`,
      { detail: { timezone }, cause },
    );
  }
}
