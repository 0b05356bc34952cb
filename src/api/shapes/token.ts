/** @module Shapes of tokens. */
import { z } from "zod";
import { roles } from "../permissions.ts";
import { At, Name } from "./basic.ts";

const DAYS_MAX = 3_650;
const QUEUES_MAX = 100;

/** Whom a token is for: a person or program of that role, or a worker. */
const TokenRole = z.enum([...roles, "worker"]);

const fields = {
  token_id: z.string(),
  name: z.string().meta({ doc: "What the audit log calls whoever uses it" }),
  role: z.string(),
  queues: z.array(z.string()).nullable().meta({
    doc: "What a worker may claim from; *: all. Null: it is no worker's",
  }),
  created_by: z.string().nullable(),
  created_at: At,
  expires_at: At.nullable(),
  last_used_at: At.nullable().meta({ doc: "To the minute" }),
  revoked_at: At.nullable(),
  is_active: z.boolean().meta({ doc: "Neither revoked nor expired" }),
};

/** A token, without the secret. */
export const ApiTokenShape = z.object(fields).meta({ id: "ApiTokenResponse" });

/** A token that was made just now. */
export const NewApiTokenShape = z.object({
  ...fields,
  token: z.string().meta({ doc: "The token itself; it is shown this once" }),
}).meta({ id: "NewApiTokenResponse" });

/** A page of tokens. */
export const ApiTokenCollection = z.object({
  tokens: z.array(ApiTokenShape),
  total_entries: z.int(),
}).meta({ id: "ApiTokenCollectionResponse" });

/** A token to make. */
export const ApiTokenBody = z.strictObject({
  name: Name.meta({ doc: "Whom it is for", example: "dashboard" }),
  role: TokenRole.default("viewer"),
  queues: z.array(Name).min(1).max(QUEUES_MAX).nullish().meta({
    doc: "With the role worker, and with it alone: what it may claim from; *: all",
  }),
  expires_in_days: z.number().positive().max(DAYS_MAX).nullish().meta({
    doc: "Null: until it is revoked",
  }),
}).refine(({ role, queues }) => (role === "worker") === (queues != null), {
  path: ["queues"],
  message: "must be given for the role worker, and for no other",
}).meta({ id: "ApiTokenBody" });
