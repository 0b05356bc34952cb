/** @module The page of settings. */
import { z } from "zod";
import { Settings } from "../../src/settings.ts";
import { type SchemaNode, typeText } from "./json_schema.ts";
import { code, json, page, table } from "./markdown.ts";

/** `docs/reference/settings.md`. */
export function settingsPage(): string {
  const defaults = Settings.parse({});
  const rows = Object.entries(Settings.shape).map(([name, shape]) => {
    const meta = shape.meta() as { env: string; doc: string; secret?: boolean };
    const node = z.toJSONSchema(shape, { io: "output", unrepresentable: "any" }) as SchemaNode;
    return [
      code(name),
      code(meta.env),
      typeText(node),
      json(defaults[name as keyof Settings]),
      meta.doc + (meta.secret ? " (secret)" : ""),
    ];
  });
  return page(
    "Settings",
    "Defaults, over them `tidewheel.yaml` of the working folder, over it the environment. A name " +
      "that is not in this list is an error in `tidewheel.yaml`.",
    table(["in tidewheel.yaml", "environment", "type", "default", "what it is"], rows),
  );
}
