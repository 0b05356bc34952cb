import { assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { AppError } from "../model/errors.ts";
import { type AttemptClaims, equalInConstantTime, tokenMint } from "./attempt_token.ts";

const key = "a-key-for-tests-only";
const claims: AttemptClaims = {
  attemptId: "0197a000-0000-7000-8000-000000000001",
  taskInstanceId: "0197a000-0000-7000-8000-000000000002",
  dagRunId: "0197a000-0000-7000-8000-000000000003",
  dagVersionId: "0197a000-0000-7000-8000-000000000004",
  taskId: "täsk",
  mapIndex: -1,
  tryNumber: 1,
  maxTries: 2,
  infraLosses: 0,
  dagId: "d",
  runId: "manual__2030-01-01T00:00:00+00:00",
  traceParent: null,
  expiresAtS: 2_000,
};

Deno.test("readAttempt() gives back what attempt() was given", () => {
  const mint = tokenMint(key);
  const token = mint.attempt(claims);
  assertEquals(mint.readAttempt(token, 1_000_000), claims);
  assertEquals(tokenMint(key).readAttempt(token, 1_000_000), claims);
});

Deno.test("readAttempt() refuses a token that expired, naming the instant", () => {
  const mint = tokenMint(key);
  const error = assertThrows(() => mint.readAttempt(mint.attempt(claims), 2_000_000), AppError);
  assertEquals((error as AppError).code, "UNAUTHENTICATED");
  assertStringIncludes((error as AppError).message, "1970-01-01T00:33:20");
});

Deno.test("readAttempt() refuses changed claims, another key's token, another scope and noise", () => {
  const mint = tokenMint(key);
  const token = mint.attempt(claims);
  const [version, scope, body, mac] = token.split(".");
  const other = mint.attempt({ ...claims, tryNumber: 9 }).split(".")[2];
  const bad = [
    [version, scope, other, mac].join("."),
    tokenMint("another-key-for-tests").attempt(claims),
    mint.worker(["*"]),
    `${version}.worker.${body}.${mac}`,
    token.slice(0, -1),
    token + "A",
    "",
    "tw1.attempt..",
    "x".repeat(1_000_000),
  ];
  for (const each of bad) {
    const error = assertThrows(() => mint.readAttempt(each, 0), AppError) as AppError;
    assertEquals(error.code, "UNAUTHENTICATED");
  }
});

Deno.test("a mint over several keys signs with the first and takes what any of them signed", () => {
  const [older, newer] = [tokenMint(key), tokenMint("a-newer-key-for-tests")];
  const both = tokenMint(["a-newer-key-for-tests", key]);
  assertEquals(both.readAttempt(older.attempt(claims), 0), claims);
  assertEquals(newer.readAttempt(both.attempt(claims), 0), claims);
  assertThrows(() => older.readAttempt(both.attempt(claims), 0), AppError, "signature");
});

Deno.test("readWorker() gives the queues of a worker token", () => {
  const mint = tokenMint(key);
  assertEquals(mint.readWorker(mint.worker(["collector"])), ["collector"]);
});

Deno.test("tokenMint() refuses a key that is too short", () => {
  assertThrows(() => tokenMint("short"), AppError, "at least 16");
  assertThrows(() => tokenMint([key, "short"]), AppError, "at least 16");
  assertThrows(() => tokenMint([]), AppError, "at least 16");
});

Deno.test("equalInConstantTime() compares texts of any length", () => {
  assertEquals(equalInConstantTime("abc", "abc"), true);
  assertEquals(equalInConstantTime("abc", "abd"), false);
  assertEquals(equalInConstantTime("abc", "abcd"), false);
});
