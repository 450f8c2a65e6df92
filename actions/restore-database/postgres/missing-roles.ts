import { UserError } from "../../../shared/failure/index.ts";
import { quoteIdentifier, type Session } from "../../../shared/postgres/index.ts";
import type { PostgresFingerprint } from "../../../shared/postgres-fingerprint/index.ts";

/**
 * Holds that every role is there to which something of the backup belongs.
 *
 * @throws {UserError} with the statements that make those that are missing.
 */
export async function requireRoles(
  session: Session,
  { catalog }: PostgresFingerprint,
): Promise<void> {
  const rows = await session.query<{ readonly name: string }>(
    "SELECT rolname AS name FROM pg_roles",
  );
  const there = new Set(rows.map(({ name }) => name));
  const missing = Object.keys(catalog.role ?? {}).filter(
    (name) => !there.has(name) && !name.startsWith("pg_"),
  );
  if (missing.length === 0) return;
  const statements = missing.map((name) => `CREATE ROLE ${quoteIdentifier(name)};`).join("\n");
  throw new UserError({
    title: "Roles are missing at the target",
    cause: `What is to be restored belongs, or is granted, to ${missing.join(", ")}, and the target's server has no such ${missing.length === 1 ? "role" : "roles"}.`,
    remedy:
      "Make them, with the attributes that they need: a dump of one database has no roles. Then run again. Nothing was changed.",
    evidence: statements,
  });
}
