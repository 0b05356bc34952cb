/** @module Says in one line what a zod schema found wrong. */
import type { z } from "zod";

/** `path: problem; path: problem`, the first few. */
export function problemsOf(error: z.ZodError, root = ""): string {
  const shown = error.issues.slice(0, 5).map((issue) => {
    const path = [root, ...issue.path.map(String)].filter((part) => part !== "").join(".");
    return path === "" ? issue.message : `${path}: ${issue.message}`;
  });
  const more = error.issues.length - shown.length;
  return shown.join("; ") + (more > 0 ? `; and ${more} more` : "");
}
