import { UserError } from "../../../shared/failure/index.ts";
import { quoteLiteral, type Session } from "../../../shared/postgres/index.ts";
import type { Demands } from "./demands.ts";

/**
 * Holds that every role is there to which something of the backup belongs.
 *
 * @throws {UserError} with the statements that make those that are missing.
 */
export async function requireRoles(
  session: Session,
  { roles, databaseOwner }: Demands,
): Promise<void> {
  const own = databaseOwner === undefined ? "NULL" : quoteLiteral(databaseOwner);
  const rows = await session.query<{ readonly name: string; readonly owner: string | null }>(
    `SELECT quote_ident(rolname) AS name, quote_ident(${own}) AS owner FROM pg_roles`,
  );
  const owner = rows[0]?.owner;
  const missing = missingRoles(
    [...roles, ...(owner === null || owner === undefined ? [] : [owner])],
    rows.map(({ name }) => name),
  );
  if (missing.length === 0) return;
  throw new UserError({
    title: "Roles are missing at the target",
    cause: `What is to be restored belongs, or is granted, to ${missing.join(", ")}, and the target's server has no such ${missing.length === 1 ? "role" : "roles"}.`,
    remedy:
      "Make them, with the attributes that they need: a dump of one database has no roles. Then run again; or give owners: leave to have everything belong to the account. Nothing was changed.",
    evidence: missing.map((name) => `CREATE ROLE ${name};`).join("\n"),
  });
}

/** Roles that are wanted and not there; those of the server's own are in every later version. Pure. */
export function missingRoles(
  wanted: readonly string[],
  there: readonly string[],
): readonly string[] {
  const known = new Set(there);
  return [...new Set(wanted)].filter((name) => !known.has(name) && !name.startsWith("pg_"));
}
