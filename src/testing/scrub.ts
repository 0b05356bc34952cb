/** @module Which texts of a connection are secrets, and how they are taken out of what is kept. */
import type { ConnectionSecret } from "../contract/execution.ts";
import { createRedactor } from "../../operators/collect/http/redact.ts";
import type { Scrub } from "./exchanges.ts";

const SECRET_NAME = /key|token|secret|password|credential|auth(orization)?$/i;

/** Takes the secrets of connections out of a text, in every form that they take. */
export function scrubber(connections: Iterable<Partial<ConnectionSecret>>): Scrub {
  return createRedactor([...connections].flatMap(secretsOf));
}

function secretsOf({ login, password, extra = {} }: Partial<ConnectionSecret>): string[] {
  const secrets: string[] = [];
  if (password) secrets.push(password, btoa(`${login ?? ""}:${password}`));
  const visit = (value: unknown, isSecret: boolean) => {
    if (typeof value === "string" && isSecret) secrets.push(value);
    if (typeof value !== "object" || value === null) return;
    for (const [name, member] of Object.entries(value)) {
      visit(member, isSecret || name === "headers" || SECRET_NAME.test(name) && name !== "auth");
    }
  };
  visit(extra, false);
  return secrets;
}
