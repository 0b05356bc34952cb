/** @module The page of error codes. */
import { statusOfCode } from "../../src/api/errors.ts";
import { type ErrorCode, errorCodes } from "../../src/model/errors.ts";
import { code, page, table } from "./markdown.ts";

/** What each code means to whoever gets it. */
const meanings: Readonly<Record<ErrorCode, string>> = {
  ILLEGAL_TRANSITION: "The thing is in a state from which this cannot be done",
  NOT_FOUND: "There is no such thing",
  CONFLICT: "It would contradict what is there: a name that is taken, other content for a key",
  INVALID: "What was given does not fit; the message says what would",
  UNAUTHENTICATED: "There is no token, or it is none of ours or too old",
  FORBIDDEN: "The token's role, or the task's declaration, does not allow it",
  STALE_ATTEMPT: "Another attempt speaks for the task by now",
  GONE: "It was there once and is not any more",
  TOO_LARGE: "It is larger than its limit; see [Limits](limits.md)",
  LEASE_LOST: "Another process leads by now",
  UNAVAILABLE: "Something that is needed does not answer; try again",
  CORRUPT: "Stored bytes are not what was stored",
  DAG_BROKEN: "The DAG's file cannot be used as it is; the message says why",
  LIMIT_EXCEEDED: "There are too many of them, or they come too fast",
  DISK_FULL: "There is no room left on the disk",
};

/** `docs/reference/errors.md`. */
export function errorsPage(): string {
  return page(
    "Error codes",
    "Every error that programs can tell apart has a code, the same in the API (`code` beside `detail`), in " +
      "logs and in the errors that tasks get. The HTTP status is the API's. A body or a query that does " +
      "not fit its shape is `INVALID` with 422 and lists what does not fit in `errors`; what nobody " +
      "foresaw is `INTERNAL` with 500 and says nothing of its inside.",
    table(
      ["code", "HTTP status", "meaning"],
      errorCodes.map((name) => [code(name), String(statusOfCode[name]), meanings[name]]),
    ),
  );
}
