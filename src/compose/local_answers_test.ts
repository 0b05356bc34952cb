import { assertEquals, assertThrows } from "@std/assert";
import { AppError } from "../model/errors.ts";
import { Question } from "../model/trigger.ts";
import { answersOf, askAtTerminal } from "./local_answers.ts";

Deno.test("answersOf() reads options, several of them, and fields", () => {
  assertEquals(
    answersOf(["check=Approve", "pick[2]=a, b", 'form={"limit": 5}']),
    new Map<string, object>([
      ["check", { options: ["Approve"] }],
      ["pick[2]", { options: ["a", "b"] }],
      ["form", { params: { limit: 5 } }],
    ]),
  );
  assertThrows(() => answersOf(["check"]), AppError, "give it as task=option");
  assertThrows(() => answersOf(["form={"]), AppError, "Cannot read the answer {");
});

Deno.test("askAtTerminal() asks until the answer fits, and leaves what is not answered", () => {
  const question = Question.parse({ subject: "Go on?", options: ["Approve", "Reject"] });
  const typed = ["maybe", "approve", ""];
  let shown = "";
  const ask = askAtTerminal({
    out: (text) => void (shown += text),
    ask: (text) => {
      shown += `${text}\n`;
      return typed.shift()!;
    },
  });
  assertEquals(ask("check", question), { chosenOptions: ["Approve"], paramsInput: {}, by: "you" });
  assertEquals(
    shown,
    `\ncheck asks: Go on?\nApprove | Reject:\n` +
      `Cannot answer "Go on?": "maybe" is no option of it; choose of Approve, Reject\n` +
      "Approve | Reject:\n",
  );
  assertEquals(ask("check", question), null);
});
