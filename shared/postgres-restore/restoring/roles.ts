import { quoteIdentifier, quoteLiteral, type Session, SqlFailed } from "../../postgres/index.ts";
import type { RestoreTarget } from "../target.ts";

/** Every role of a dump belongs to it, and it may make objects wherever the dump puts them. */
export const EVERYONE = "sw_everyone";

/**
 * The roles of a dump, on a throw-away server: none can log in or is a superuser, and the restorer
 * is a member of all of them, so that it can give each what is its own.
 */
export class DumpRoles {
  readonly #administrator: Session;
  readonly #restorer: string;
  readonly #known = new Set<string>();
  #finished = false;

  private constructor(administrator: Session, restorer: string) {
    this.#administrator = administrator;
    this.#restorer = restorer;
  }

  /** Lets whoever owns something make it in every schema, as only a superuser may otherwise. */
  static async prepare(
    administrator: Session,
    target: RestoreTarget,
    database: string,
  ): Promise<DumpRoles> {
    const restorer = target.role("restorer") ?? "";
    const roles = new DumpRoles(administrator, restorer);
    const known = await administrator.query<{ rolname: string }>(
      "SELECT rolname FROM pg_catalog.pg_roles",
    );
    for (const { rolname } of known) roles.#known.add(rolname);
    if (!roles.#known.has(EVERYONE)) await administrator.run(`CREATE ROLE ${EVERYONE} NOLOGIN`);
    for (const statement of [
      `GRANT ${EVERYONE} TO ${quoteIdentifier(restorer)}`,
      `GRANT CREATE, TEMPORARY ON DATABASE ${quoteIdentifier(database)} TO ${EVERYONE}`,
      // Views are filled by their owner's rights, who at the source may have been a superuser.
      `GRANT pg_read_all_data TO ${EVERYONE}`,
      // Before version 15 the schema belongs to whoever made the cluster.
      `ALTER SCHEMA public OWNER TO ${quoteIdentifier(restorer)}`,
      `GRANT CREATE, USAGE ON SCHEMA public TO ${EVERYONE}`,
      `ALTER DEFAULT PRIVILEGES FOR ROLE ${quoteIdentifier(restorer)} GRANT CREATE, USAGE ON SCHEMAS TO ${EVERYONE}`,
    ]) {
      await administrator.run(statement);
    }
    return roles;
  }

  /** Makes those that are not there yet. Gives those that cannot be made, with the reason. */
  async ensure(names: Iterable<string>): Promise<readonly { name: string; reason: string }[]> {
    const refused: { name: string; reason: string }[] = [];
    for (const name of new Set(names)) {
      if (this.#known.has(name)) continue;
      this.#known.add(name);
      try {
        await this.#administrator.run(`CREATE ROLE ${quoteIdentifier(name)} NOLOGIN NOSUPERUSER`);
        await this.#administrator.run(
          `GRANT ${quoteIdentifier(name)} TO ${quoteIdentifier(this.#restorer)}`,
        );
        await this.#administrator.run(`GRANT ${EVERYONE} TO ${quoteIdentifier(name)}`);
      } catch (error) {
        if (!(error instanceof SqlFailed)) throw error;
        refused.push({ name, reason: error.said });
      }
    }
    return refused;
  }

  /** Takes back what was only given for the restore. */
  async finish(): Promise<void> {
    if (this.#finished) return;
    this.#finished = true;
    await this.#administrator.run(`DROP OWNED BY ${EVERYONE}`);
    await this.#administrator.run(`REVOKE pg_read_all_data FROM ${EVERYONE}`);
    // As a new database has it, unless the dump has given it to somebody.
    const owner = quoteLiteral(this.#restorer);
    const own = await this.#administrator.query(
      `SELECT 1 FROM pg_catalog.pg_namespace WHERE nspname = 'public' AND nspowner = (SELECT oid FROM pg_catalog.pg_roles WHERE rolname = ${owner}) AND EXISTS (SELECT 1 FROM pg_catalog.pg_roles WHERE rolname = 'pg_database_owner')`,
    );
    if (own.length > 0) {
      await this.#administrator.run("ALTER SCHEMA public OWNER TO pg_database_owner");
    }
  }
}
