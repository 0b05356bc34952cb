/** @module The connections through which the shipped DAGs reach the sandbox. */

/** A connection as the REST API and the store take it. */
export interface SandboxConnection {
  connectionId: string;
  connType: "http";
  description: string;
  host: string;
  port: number;
  schema: "http";
  login: null;
  password: string | null;
  extra: Record<string, string | Record<string, string>>;
}

/** One connection a vendor, named as the vendor, for a sandbox at this URL. */
export function sandboxConnections(url: string): SandboxConnection[] {
  const { hostname, port } = new URL(url);
  const connection = (
    vendor: string,
    { password, auth }: { password: string | null; auth: Record<string, string> },
  ): SandboxConnection => ({
    connectionId: vendor,
    connType: "http",
    description: `${vendor} in the sandbox at ${url}`,
    host: hostname,
    port: Number(port),
    schema: "http",
    login: null,
    password,
    extra: { path: `/${vendor}`, auth },
  });
  const inQuery = (name: string) => ({ kind: "api_key", in: "query", name });
  return [
    connection("marketstack", { password: "demo", auth: inQuery("access_key") }),
    connection("alpha_vantage", { password: "demo", auth: inQuery("apikey") }),
    connection("stooq", { password: null, auth: { kind: "none" } }),
    connection("ecb", { password: null, auth: { kind: "none" } }),
  ];
}
