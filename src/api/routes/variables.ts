/** @module Routes of variables. */
import { z } from "zod";
import { AppError } from "../../model/errors.ts";
import { isSecretName } from "../../store/secrets.ts";
import {
  createVariable,
  deleteVariable,
  findVariable,
  listVariables,
  putVariable,
  type Variable,
} from "../../store/variable.ts";
import { pageOf, type Rest } from "../rest.ts";
import type { RouteBook } from "../route.ts";
import { VariableBody, VariableCollection, VariableShape } from "../shapes/admin.ts";
import { Name, paging, Text, UpdateMask } from "../shapes/basic.ts";

const tag = "Variables";
const Path = z.object({ variable_key: Name });

/** Add them. */
export function addVariableRoutes(book: RouteBook, { sql, secrets: box, clock }: Rest): void {
  const required = async (key: string) => {
    const found = await findVariable(sql, { key, box });
    if (found) return found;
    throw new AppError("NOT_FOUND", `Cannot find the variable "${key}"`);
  };

  book.add({
    method: "get",
    path: "/api/v2/variables",
    permission: "variables.read",
    tag,
    summary: "List variables",
    query: z.object({ variable_key_pattern: Text.optional(), ...paging(["key", "id"], "key") }),
    returns: VariableCollection,
  }, async ({ query }) => {
    const { limit, offset } = pageOf(query);
    const { variables, total } = await listVariables(sql, {
      box,
      limit,
      offset,
      pattern: likeOf(query.variable_key_pattern),
    });
    return { variables: variables.map(view), total_entries: total };
  });

  book.add({
    method: "post",
    path: "/api/v2/variables",
    permission: "variables.edit",
    tag,
    summary: "Create a variable",
    body: VariableBody,
    returns: VariableShape,
    status: 201,
    event: "variable.create",
  }, async ({ body: { key, value, description } }) => {
    await createVariable(sql, { key, value, description, box, now: clock.now() });
    return view(await required(key));
  });

  book.add({
    method: "get",
    path: "/api/v2/variables/{variable_key}",
    permission: "variables.read",
    tag,
    summary: "Look at a variable",
    params: Path,
    returns: VariableShape,
  }, async ({ params }) => view(await required(params.variable_key)));

  book.add({
    method: "patch",
    path: "/api/v2/variables/{variable_key}",
    permission: "variables.edit",
    tag,
    summary: "Change a variable",
    params: Path,
    query: z.object(UpdateMask),
    body: VariableBody,
    returns: VariableShape,
    event: "variable.patch",
  }, async ({ params: { variable_key: key }, query, body }) => {
    const before = await required(key);
    if (body.key !== key) {
      throw new AppError(
        "INVALID",
        `Cannot rename the variable "${key}": the body names "${body.key}"`,
      );
    }
    const may = (field: string) => !query.update_mask || query.update_mask.includes(field);
    await putVariable(sql, {
      key,
      value: may("value") ? body.value : before.value,
      description: may("description") ? body.description : before.description,
      box,
      now: clock.now(),
    });
    return view(await required(key));
  });

  book.add({
    method: "delete",
    path: "/api/v2/variables/{variable_key}",
    permission: "variables.edit",
    tag,
    summary: "Delete a variable",
    params: Path,
    returns: null,
    event: "variable.delete",
  }, async ({ params: { variable_key: key } }) => {
    if (!await deleteVariable(sql, { key })) await required(key);
  });
}

/** Airflow's pattern as one of SQL's `like`; these lists are short, so the first term serves. */
export function likeOf(pattern: string | undefined): string {
  return pattern === undefined || pattern === "~" ? "%" : `%${pattern}%`;
}

function view({ key, value, description }: Variable): z.input<typeof VariableShape> {
  const text = typeof value === "string" ? value : JSON.stringify(value);
  return {
    key,
    value: isSecretName(key) ? "***" : text,
    description,
    is_encrypted: true,
    team_name: null,
  };
}
