/** @module Vendors for a running product: the sandbox, with the connections that reach it. */
import { deskDropUrl, sandboxConnections, type SandboxServer } from "../../src/sandbox/mod.ts";
import type { Product } from "./product.ts";

/**
 * Give the product a connection to each vendor of the sandbox, and a folder with the desk's file as
 * another; returns the folder.
 */
export async function connectVendors(product: Product, sandbox: SandboxServer): Promise<string> {
  const inbox = `${product.root}/inbox`;
  await Deno.mkdir(inbox, { recursive: true });
  const name = deskDropUrl.pathname.split("/").at(-1)!;
  await Deno.copyFile(deskDropUrl, `${inbox}/${name}`);
  for (const connection of sandboxConnections(sandbox.url, { inbox })) {
    await product.api.send("POST", "/api/v2/connections", {
      connection_id: connection.connectionId,
      conn_type: connection.connType,
      host: connection.host,
      port: connection.port,
      schema: connection.schema,
      login: connection.login,
      password: connection.password,
      extra: JSON.stringify(connection.extra),
    });
  }
  return inbox;
}

/** Text of the shipped DAG files by path, all but tests. */
export async function shippedDags(): Promise<Record<string, string>> {
  const files: Record<string, string> = {};
  const root = new URL("../../dags/", import.meta.url);
  for (const folder of ["", "schemas/"]) {
    for await (const { name, isFile } of Deno.readDir(new URL(folder, root))) {
      if (!isFile || name.endsWith("_test.ts")) continue;
      files[`${folder}${name}`] = await Deno.readTextFile(new URL(`${folder}${name}`, root));
    }
  }
  return files;
}
