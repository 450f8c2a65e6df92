import { UserError } from "../../../shared/failure/index.ts";
import { quoteIdentifier, quoteLiteral, type Session } from "../../../shared/postgres/index.ts";
import type { Options } from "../inputs.ts";
import type { Demands } from "./demands.ts";
import { requireRoles } from "./missing-roles.ts";
import type { TargetServer } from "./server.ts";

/**
 * Holds that the server can take the backup, before anything is made: it is no standby, has the
 * roles and extensions, and the account may do what has to be done.
 *
 * @throws {UserError} for the first that is not so.
 */
export async function preflight(
  session: Session,
  server: TargetServer,
  demands: Demands,
  { method, owners }: Pick<Options, "method" | "owners">,
): Promise<void> {
  if (method === "switch") await requireCreateDb(session, server);
  await requireExtensions(session, demands);
  if (owners === "leave") return;
  await requireRoles(session, demands);
  await requireMembership(session, server, demands);
}

async function requireCreateDb(session: Session, { facts }: TargetServer): Promise<void> {
  const [may] = await session.query<{ readonly created: boolean }>(
    "SELECT rolsuper OR rolcreatedb AS created FROM pg_roles WHERE rolname = current_user",
  );
  if (may?.created === true) return;
  throw new UserError({
    title: "The account may not make databases",
    cause: `${facts.user} has no CREATEDB, and the backup is restored into a database beside the real one.`,
    remedy: `ALTER ROLE ${quoteIdentifier(facts.user)} CREATEDB; or give method: in-place, which empties the real database and restores into it. Nothing was changed.`,
  });
}

async function requireExtensions(
  session: Session,
  { extensions, version }: Demands,
): Promise<void> {
  const rows = await session.query<{ readonly name: string }>(
    "SELECT quote_ident(name) AS name FROM pg_available_extensions",
  );
  const there = new Set(rows.map(({ name }) => name));
  const missing = extensions.filter((name) => !there.has(name));
  if (missing.length === 0) return;
  throw new UserError({
    title: "Extensions are missing at the target",
    cause: `The backup, of PostgreSQL ${version}, needs ${missing.join(", ")}, and the target's server does not have ${missing.length === 1 ? "it" : "them"} installed.`,
    remedy: "Install their packages on the server, and run again. Nothing was changed.",
  });
}

/** To give what is restored to its owners, one has to be able to become each of them. */
async function requireMembership(
  session: Session,
  { facts }: TargetServer,
  { owners, databaseOwner }: Demands,
): Promise<void> {
  if (facts.superuser) return;
  const own = databaseOwner === undefined ? [] : [`quote_ident(${quoteLiteral(databaseOwner)})`];
  const all = [...owners.map(quoteLiteral), ...own];
  if (all.length === 0) return;
  const privilege = facts.major >= 16 ? "SET" : "MEMBER";
  const rows = await session.query<{ readonly name: string }>(
    `SELECT rolname AS name FROM pg_roles
      WHERE quote_ident(rolname) IN (${all.join(", ")}) AND NOT pg_has_role(current_user, oid, '${privilege}')
      ORDER BY rolname`,
  );
  if (rows.length === 0) return;
  const account = quoteIdentifier(facts.user);
  throw new UserError({
    title: "The account cannot give what is restored to its owners",
    cause: `What is to be restored belongs to ${rows.map(({ name }) => name).join(", ")}, and ${facts.user} is no member of ${rows.length === 1 ? "that role" : "those roles"}.`,
    remedy:
      "Make it one by the statements below, or give owners: leave to have everything belong to the account. Nothing was changed.",
    evidence: rows.map(({ name }) => `GRANT ${quoteIdentifier(name)} TO ${account};`).join("\n"),
  });
}
