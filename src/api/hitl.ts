/** @module Whether an answer fits what was asked. Pure. */
import { Ajv2020 } from "ajv/2020";
import addFormats from "ajv-formats";
import { AppError } from "../model/errors.ts";
import { defaultParams, type Question, type Reply } from "../model/trigger.ts";

/** An answer as it came in. */
export interface GivenAnswer {
  chosenOptions: readonly string[];
  paramsInput: Readonly<Record<string, Reply["paramsInput"][string]>>;
  by: string;
}

/** The reply to keep; throws INVALID, or FORBIDDEN for somebody who was not asked. */
export function replyTo(question: Question, given: GivenAnswer): Reply {
  const { chosenOptions, by } = given;
  const { options, assignees, multiple } = question;
  if (assignees.length > 0 && !assignees.includes(by)) {
    throw new AppError(
      "FORBIDDEN",
      `Cannot answer "${question.subject}" as "${by}": it is for ${assignees.join(", ")}`,
    );
  }
  const stranger = chosenOptions.find((each) => !options.includes(each));
  if (stranger !== undefined) {
    throw invalid(question, `"${stranger}" is no option of it; choose of ${options.join(", ")}`);
  }
  if (new Set(chosenOptions).size < chosenOptions.length) {
    throw invalid(question, "an option is chosen twice");
  }
  if (!multiple && chosenOptions.length > 1) {
    throw invalid(question, `only one of its options can be chosen, not ${chosenOptions.length}`);
  }
  const paramsInput = { ...defaultParams(question), ...given.paramsInput };
  checkParams(question, paramsInput);
  return { chosenOptions: [...chosenOptions], paramsInput, by };
}

function checkParams(question: Question, values: Reply["paramsInput"]) {
  const ajv = new Ajv2020({ allErrors: true, strict: false, validateFormats: true });
  (addFormats as unknown as (ajv: Ajv2020) => void)(ajv);
  for (const [name, value] of Object.entries(values)) {
    if (!Object.hasOwn(question.params, name)) {
      const known = Object.keys(question.params).join(", ") || "none";
      throw invalid(question, `it has no field "${name}"; its fields are: ${known}`);
    }
    const { schema, value: byDefault } = question.params[name];
    const validate = ajv.compile(schema);
    // Left out and without a default: the task's own schema says whether it may be.
    if (value === null && byDefault === null || validate(value)) continue;
    const why = (validate.errors ?? []).map(({ message }) => message).join("; ");
    throw invalid(question, `the field "${name}" ${why}`);
  }
}

function invalid({ subject }: Question, why: string): AppError {
  return new AppError("INVALID", `Cannot answer "${subject}": ${why}`);
}
