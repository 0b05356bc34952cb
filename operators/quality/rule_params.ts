/** @module What every rule has. */
import { z } from "zod";

const name = z.string().min(1).max(100).optional().meta({ doc: "Shown with figures and rows" });

/** Of rules on rows. */
export const common = {
  name,
  severity: z.enum(["warn", "quarantine", "block"]).default("quarantine").meta({
    doc:
      "Of rows that fail. warn: they are counted. quarantine: they are taken out. block: a single " +
      "one fails the task",
  }),
};

/** Of rules on the whole table. */
export const tableCommon = {
  name,
  severity: z.enum(["warn", "block"]).default("block").meta({
    doc: "Of a table that fails. warn: it is said. block: the bound is missed, see `onFail`",
  }),
};
