/** @module The local administrator's token. */
import { createToken, findToken, isTokenKnown } from "../store/api_token.ts";
import { ensureToken } from "./home.ts";
import type { DatabaseParts } from "./parts.ts";

/** Make the token of the home folder an administrator's; one that was revoked is replaced. */
export async function ensureAdminToken(
  { sql, ids, clock, home, log }: Pick<DatabaseParts, "sql" | "ids" | "clock" | "home" | "log">,
): Promise<void> {
  let token = await ensureToken(home);
  const now = clock.now();
  if (await findToken(sql, { token, now })) return;
  if (await isTokenKnown(sql, { token })) {
    await Deno.remove(home.token);
    token = await ensureToken(home);
    log.info("Replaced the local administrator's token: it was revoked or had expired", {
      file: home.token,
    });
  }
  await createToken(sql, { name: "local admin", role: "admin", ids, now, token });
}
