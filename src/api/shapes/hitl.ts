/** @module Shapes of what tasks ask people: Airflow 3's, and what we add. */
import { z } from "zod";
import { At, StorableJson, Text } from "./basic.ts";
import { TaskInstanceShape } from "./task_instance.ts";

const User = z.object({ id: z.string(), name: z.string() }).meta({ id: "HITLUser" });

/** A question, and the answer to it. */
export const HitlDetailShape = z.object({
  task_instance: TaskInstanceShape,
  options: z.array(z.string()),
  subject: z.string(),
  body: z.string().nullable(),
  defaults: z.array(z.string()).nullable(),
  multiple: z.boolean(),
  params: z.record(
    z.string(),
    z.object({
      value: z.unknown(),
      description: z.string().nullable(),
      schema: z.record(z.string(), z.unknown()),
    }),
  ),
  assigned_users: z.array(User),
  created_at: At,
  responded_by_user: User.nullable(),
  responded_at: At.nullable(),
  chosen_options: z.array(z.string()).nullable(),
  params_input: z.record(z.string(), z.unknown()),
  response_received: z.boolean(),
  is_open: z.boolean().meta({ doc: "It can still be answered" }),
  expires_at: At.nullable().meta({
    doc: "When its time is up: then the defaults count, or it fails",
  }),
}).meta({ id: "HITLDetail" });

/** A page of questions. */
export const HitlDetailCollection = z.object({
  hitl_details: z.array(HitlDetailShape),
  total_entries: z.int(),
}).meta({ id: "HITLDetailCollection" });

/** An answer. */
export const HitlAnswerBody = z.strictObject({
  chosen_options: z.array(Text.max(250)).min(1).max(100),
  params_input: z.record(z.string(), StorableJson).default({}),
}).meta({ id: "UpdateHITLDetailPayload" });

/** What an answer came to. */
export const HitlAnswerShape = z.object({
  responded_by: User,
  responded_at: At,
  chosen_options: z.array(z.string()),
  params_input: z.record(z.string(), z.unknown()),
}).meta({ id: "HITLDetailResponse" });
