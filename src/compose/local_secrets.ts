/** @module Connections and variables of a run without a server. */
import type { ConnectionSecret } from "../contract/execution.ts";
import { AppError } from "../model/errors.ts";

/** Where tasks of a local run get connections and variables; each throws NOT_FOUND for what is none. */
export interface LocalSecrets {
  connection(id: string): ConnectionSecret;
  variable(key: string): unknown;
}

type Env = Readonly<Record<string, string>>;

/** From the environment: connections are `TIDEWHEEL_CONN_<ID>`, variables `TIDEWHEEL_VAR_<KEY>`. */
export function environmentSecrets(env: Env): LocalSecrets {
  return {
    connection: (id) => connectionOf(env, id),
    variable: (key) => variableOf(env, key),
  };
}

const variableName = (id: string) => id.toUpperCase().replace(/[^A-Z0-9]/g, "_");

/** A connection from the environment: JSON, or a URL with the secret as its password. */
function connectionOf(env: Env, id: string): ConnectionSecret {
  const name = `TIDEWHEEL_CONN_${variableName(id)}`;
  const value = env[name];
  if (value === undefined) {
    throw new AppError(
      "NOT_FOUND",
      `There is no connection "${id}": set ${name} to its URL or its JSON`,
    );
  }
  if (value.trimStart().startsWith("{")) return connectionFrom(id, JSON.parse(value));
  return connectionFrom(id, value);
}

/** A connection from its URL, with the secret as its password, or from its members. */
export function connectionFrom(
  id: string,
  given: string | Partial<ConnectionSecret>,
): ConnectionSecret {
  const empty = { host: null, port: null, schema: null, login: null, password: null, extra: {} };
  if (typeof given !== "string") return { connType: "http", ...empty, ...given, connectionId: id };
  const url = new URL(given);
  const scheme = url.protocol.replace(":", "");
  return {
    connectionId: id,
    connType: scheme.startsWith("http") ? "http" : scheme,
    host: url.hostname,
    port: url.port === "" ? null : Number(url.port),
    schema: scheme,
    login: decodeURIComponent(url.username) || null,
    password: decodeURIComponent(url.password) || null,
    extra: {
      ...(url.pathname === "/" ? {} : { path: url.pathname }),
      ...Object.fromEntries(url.searchParams),
    },
  };
}

function variableOf(env: Env, key: string): unknown {
  const name = `TIDEWHEEL_VAR_${variableName(key)}`;
  const value = env[name];
  if (value === undefined) {
    throw new AppError("NOT_FOUND", `There is no variable "${key}": set ${name}`);
  }
  try {
    return JSON.parse(value);
  } catch {
    return value;
  }
}
