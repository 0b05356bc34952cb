/** @module The connections through which the shipped DAGs reach the sandbox. */

/** A connection as the REST API and the store take it. */
export interface SandboxConnection {
  connectionId: string;
  connType: "http" | "fs";
  description: string;
  host: string | null;
  port: number | null;
  schema: "http" | null;
  login: null;
  password: string | null;
  extra: Record<string, string | Record<string, string>>;
}

/**
 * One connection a vendor, named as the vendor, for a sandbox at this URL; with `inbox`, the
 * absolute path of a folder, also `desk_drop`, where a desk drops its files.
 */
export function sandboxConnections(
  url: string,
  { inbox }: { inbox?: string } = {},
): SandboxConnection[] {
  const inQuery = (name: string) => ({ kind: "api_key", in: "query", name });
  const connections = [
    vendor(url, "marketstack", { password: "demo", auth: inQuery("access_key") }),
    vendor(url, "alpha_vantage", { password: "demo", auth: inQuery("apikey") }),
    vendor(url, "stooq", { password: null, auth: { kind: "none" } }),
    vendor(url, "ecb", { password: null, auth: { kind: "none" } }),
  ];
  return inbox === undefined ? connections : [...connections, dropFolder(inbox)];
}

function vendor(
  url: string,
  name: string,
  { password, auth }: { password: string | null; auth: Record<string, string> },
): SandboxConnection {
  const { hostname, port } = new URL(url);
  return {
    connectionId: name,
    connType: "http",
    description: `${name} in the sandbox at ${url}`,
    host: hostname,
    port: Number(port),
    schema: "http",
    login: null,
    password,
    extra: { path: `/${name}`, auth },
  };
}

function dropFolder(path: string): SandboxConnection {
  return {
    connectionId: "desk_drop",
    connType: "fs",
    description: "Folder that the desk drops its files into",
    host: null,
    port: null,
    schema: null,
    login: null,
    password: null,
    extra: { path },
  };
}
