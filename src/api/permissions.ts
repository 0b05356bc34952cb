/** @module Who may do what: each route names one of these permissions, each role has some of them. */

/** Roles of people and programs with an API token, from least to most. */
export const roles = ["viewer", "user", "op", "admin"] as const;
/** One of {@link roles}. */
export type Role = (typeof roles)[number];

/** Whoever asks: someone with a role, nobody known, a worker, or one attempt. */
export type Actor = Role | "anonymous" | "worker" | "attempt";

/** Every permission: what it allows, and the least role that has it; or the actors that have it. */
export const permissions = {
  "health.read": { allows: "Health, version and metrics", actors: ["anonymous"] },
  "docs.read": { allows: "The API's documentation", actors: ["anonymous"] },
  "webhooks.call": {
    allows: "Send an event, signed with the webhook's secret",
    actors: ["anonymous"],
  },
  "token.exchange": { allows: "Trade a password for a token", actors: ["anonymous"] },

  "dags.read": { allows: "See DAGs, their versions and sources", least: "viewer" },
  "runs.read": { allows: "See DAG runs", least: "viewer" },
  "tasks.read": { allows: "See task instances and attempts", least: "viewer" },
  "logs.read": { allows: "Read logs of attempts", least: "viewer" },
  "outputs.read": { allows: "Read outputs of tasks", least: "viewer" },
  "pools.read": { allows: "See pools", least: "viewer" },
  "backfills.read": { allows: "See backfills", least: "viewer" },
  "bulk.read": { allows: "See bulk jobs", least: "viewer" },
  "import_errors.read": { allows: "See import errors", least: "viewer" },
  "datasets.read": { allows: "See datasets, their versions and rows", least: "viewer" },
  "lineage.read": { allows: "See where data came from", least: "viewer" },
  "quarantine.read": {
    allows: "See what was refused, where and why, without the rows' content",
    least: "viewer",
  },

  "maintenance.read": { allows: "See whether it drains, and what still runs", least: "viewer" },

  "dags.edit": { allows: "Pause and unpause DAGs", least: "user" },
  "runs.trigger": { allows: "Start DAG runs", least: "user" },
  "runs.edit": { allows: "Cancel, clear and annotate DAG runs", least: "user" },
  "tasks.clear": { allows: "Clear task instances", least: "user" },
  "tasks.answer": { allows: "Answer what tasks ask people", least: "user" },
  "tasks.edit": {
    allows: "Set states of task instances by hand, and annotate them",
    least: "user",
  },
  "datasets.edit": { allows: "Record dataset events, and drop those that wait", least: "user" },
  "backfills.edit": { allows: "Start, pause and cancel backfills", least: "user" },
  "bulk.edit": {
    allows: "Start, cancel and clear many runs, and pause many DAGs, at once",
    least: "user",
  },

  "maintenance.edit": { allows: "Drain and resume, pause and unpause all DAGs", least: "op" },
  "dags.delete": { allows: "Delete a DAG whose file is gone", least: "op" },
  "runs.delete": { allows: "Delete DAG runs", least: "op" },
  "events.read": { allows: "See events and whether they were delivered", least: "op" },
  "events.edit": { allows: "Have an event delivered again", least: "op" },
  "pools.edit": { allows: "Create, change and delete pools", least: "op" },
  "quarantine.raw": { allows: "See refused rows as they are", least: "op" },
  "variables.read": { allows: "Read variables", least: "op" },
  "variables.edit": { allows: "Create, change and delete variables", least: "op" },
  "connections.read": { allows: "See connections, without their secrets", least: "op" },
  "connections.edit": { allows: "Create, change and delete connections", least: "op" },

  "tokens.read": { allows: "See who has tokens; a token itself is shown once", least: "admin" },
  "tokens.edit": {
    allows: "Make and revoke tokens of people, programs and workers",
    least: "admin",
  },
  "audit.read": { allows: "Read the audit log", least: "admin" },

  "execution.claim": { allows: "Claim queued attempts", actors: ["worker"] },
  "execution.batch": {
    allows: "Calls of several attempts, each with its own token",
    actors: ["anonymous"],
  },
  "execution.attempt": { allows: "Act for one attempt", actors: ["attempt"] },
  "execution.bundle": { allows: "Fetch a bundle by hash", actors: ["attempt", "worker"] },
} as const satisfies Record<
  string,
  { allows: string; least: Role } | { allows: string; actors: readonly Actor[] }
>;
/** One of {@link permissions}. */
export type Permission = keyof typeof permissions;

/** May `actor` do this? Where anyone may, everyone may. */
export function mayDo(actor: Actor, permission: Permission): boolean {
  const rule = permissions[permission];
  if ("actors" in rule) {
    const actors: readonly Actor[] = rule.actors;
    return actors.includes("anonymous") || actors.includes(actor);
  }
  return roles.indexOf(actor as Role) >= roles.indexOf(rule.least);
}
