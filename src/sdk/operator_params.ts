/** @module Parameters of operators: checked as far as they are constant, resolved when they run. */
import type { z } from "zod";
import { broken } from "./broken.ts";
import type { RunFacts } from "./context.ts";
import { canonical, type Json } from "./json.ts";
import type { Operator } from "./operator.ts";
import { refValueParts } from "./ref_handle.ts";
import { paramInput } from "./wiring.ts";
import { problemsOf } from "./zod_problems.ts";

/** Does the value become known only when the task runs? */
export function isDynamic(param: unknown): boolean {
  return typeof param === "function" || refValueParts(param) !== null;
}

/**
 * Check what is constant and return it, parsed (so with defaults where all is constant). Throws
 * DAG_BROKEN, "Cannot `what`: …", for a parameter that is unknown, missing or does not fit.
 */
export function checkOperatorParams(
  operator: Operator,
  params: Record<string, unknown>,
  what: string,
): Record<string, unknown> {
  const fail = (problem: string) => broken(what, problem);
  const shape = (operator.params as { shape?: Record<string, z.ZodType> }).shape;
  for (const name of Object.keys(params)) {
    if (shape && !Object.hasOwn(shape, name)) {
      const known = Object.keys({ ...operator.inputs, ...shape }).sort().join(", ");
      throw fail(`${operator.name} has no parameter or input "${name}"; it has ${known || "none"}`);
    }
  }
  const constants = Object.fromEntries(
    Object.entries(params).filter(([, value]) => !isDynamic(value)),
  );
  if (Object.keys(constants).length === Object.keys(params).length) {
    const parsed = operator.params.safeParse(params);
    if (!parsed.success) throw fail(`parameter ${problemsOf(parsed.error)}`);
    return parsed.data as Record<string, unknown>;
  }
  for (const [name, member] of Object.entries(shape ?? {})) {
    if (isDynamic(params[name])) continue;
    const parsed = member.safeParse(params[name]);
    if (!parsed.success) throw fail(`parameter ${problemsOf(parsed.error, name)}`);
    if (parsed.data !== undefined) constants[name] = parsed.data;
  }
  return constants;
}

/** Parameters as the DAG's description shows them: JSON, with marks where they are dynamic. */
export function describeParams(
  params: Record<string, unknown>,
  describe: (path: string, problem: string) => Error,
): Json {
  const shown = Object.entries(params).map(([name, value]) => {
    if (typeof value === "function") return [name, { $fn: true }];
    return [name, refValueParts(value) ? { $input: paramInput(name) } : value];
  });
  return canonical(Object.fromEntries(shown), describe);
}

/** Every parameter with its value for this run; `input` gives the value of a spec input by name. */
export function resolveParams(
  params: Readonly<Record<string, unknown>>,
  facts: RunFacts,
  input: (name: string) => unknown,
): Record<string, unknown> {
  const resolved: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(params)) {
    const parts = refValueParts(value);
    if (parts) {
      const output = input(paramInput(name));
      resolved[name] = parts.make ? parts.make(output, facts) : output;
    } else {
      resolved[name] = typeof value === "function" ? value(facts) : value;
    }
  }
  return resolved;
}
