/** @module The local administrator's token. */
import { createToken, findToken } from "../store/api_token.ts";
import { ensureToken } from "./home.ts";
import type { DatabaseParts } from "./parts.ts";

/** Make the token of the home folder an administrator's. */
export async function ensureAdminToken({ sql, ids, clock, home }: DatabaseParts): Promise<void> {
  const token = await ensureToken(home);
  const now = clock.now();
  if (await findToken(sql, { token, now })) return;
  await createToken(sql, { name: "local admin", role: "admin", ids, now, token });
}
