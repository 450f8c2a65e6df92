import { randomBytes } from "node:crypto";
import { UserError } from "../failure/index.ts";
import type { Safeguard } from "../isolation/index.ts";
import {
  openSession,
  quoteIdentifier,
  quoteLiteral,
  type Session,
  SqlFailed,
} from "../postgres/index.ts";
import type { World } from "../world/index.ts";
import { startInDocker } from "./server/docker.ts";
import { startInJob } from "./server/job.ts";
import { startLocally } from "./server/local.ts";
import { NoServerPrograms } from "./server/programs.ts";
import type { ServerSettings, StartedServer } from "./server/settings.ts";
import type { Part, RestoreTarget } from "./target.ts";

/** Where a throw-away server runs, and how it is to be had. */
export interface ThrowAwaySettings extends ServerSettings {
  /**
   * `job`: a Job in a cluster. `auto`: programs of this machine where it has the right ones, else a
   * container.
   */
  readonly server: "local" | "docker" | "job" | "auto";
}

/** The order and case of text in a database, as `pg_database` tells it. */
export interface DatabaseLocale {
  /** `UTF8`, `LATIN1`, `SQL_ASCII`. */
  readonly encoding: string;
  readonly collate: string;
  readonly ctype: string;
  readonly provider?: "libc" | "icu" | "builtin" | undefined;
  /** Of the providers icu and builtin. */
  readonly locale?: string | undefined;
}

/** A server of one's own for one restore. */
export interface ThrowAwayServer extends RestoreTarget, AsyncDisposable {
  /** What keeps a hostile dump from doing harm, and what of it could not be had. */
  readonly safeguards: readonly Safeguard[];
  /**
   * Makes an empty database that belongs to the restorer, in the locale asked for or, where this
   * system does not have it, in one like it.
   *
   * @returns what therefore cannot be known, one sentence each.
   */
  createDatabase(name: string, locale: DatabaseLocale | undefined): Promise<readonly string[]>;
  session(database: string, part: Part): Promise<Session>;
}

/**
 * Starts a server that is thrown away: isolated as far as its place allows, with a restorer and a
 * reader that are no superusers. It goes when it is disposed of, and with this process.
 *
 * @throws {UserError} where it cannot be had; says what is missing.
 */
export async function openThrowAway(
  settings: ThrowAwaySettings,
  world: World,
): Promise<ThrowAwayServer> {
  const started = await start(settings, world);
  try {
    const server = new OwnServer(started, world);
    await server.makeRoles();
    return server;
  } catch (error) {
    await started[Symbol.asyncDispose]();
    throw error;
  }
}

async function start(settings: ThrowAwaySettings, world: World): Promise<StartedServer> {
  if (settings.server === "local") return startLocally(settings, world);
  if (settings.server === "docker") return startInDocker(settings, world);
  if (settings.server === "job") return startInJob(settings, world);
  try {
    return await startLocally(settings, world);
  } catch (error) {
    if (!(error instanceof NoServerPrograms)) throw error;
    try {
      return await startInDocker(settings, world);
    } catch (later) {
      if (!(later instanceof UserError)) throw later;
      world.log.debug(later.message);
      throw error;
    }
  }
}

const RESTORER = "sw_restorer";
const READER = "sw_reader";

class OwnServer implements ThrowAwayServer {
  readonly #started: StartedServer;
  readonly #passwords: Readonly<Record<Part, string>>;
  readonly #roles: Readonly<Record<Part, string>>;
  /** To the database `postgres`, from making the roles to making the first database. */
  #first: Session | undefined;

  constructor(started: StartedServer, world: World) {
    this.#started = started;
    const [restorer, reader] = [randomBytes(24).toString("hex"), randomBytes(24).toString("hex")];
    for (const password of [restorer, reader]) world.secrets.add(password);
    this.#passwords = { administrator: started.administrator.password, restorer, reader };
    this.#roles = { administrator: started.administrator.name, restorer: RESTORER, reader: READER };
  }

  get name() {
    return this.#started.name;
  }
  get major() {
    return this.#started.major;
  }
  get place() {
    return this.#started.place;
  }
  get programs() {
    return this.#started.programs;
  }
  get staging() {
    return this.#started.staging;
  }
  get safeguards() {
    return this.#started.safeguards;
  }
  get signal() {
    return this.#started.signal;
  }

  role(part: Part): string {
    return this.#roles[part];
  }

  connection(database: string, part: Part) {
    return {
      subject: `database ${database} of ${this.name}`,
      conninfo: "",
      environment: {
        PGHOST: this.#started.socket,
        PGPORT: "5432",
        PGUSER: this.#roles[part],
        PGPASSWORD: this.#passwords[part],
        PGDATABASE: database,
        // Neither what a dump says of its database nor what it says of a role comes before this.
        PGOPTIONS: part === "restorer" ? "" : "-c search_path=pg_catalog",
        PGSSLMODE: "disable",
        PGGSSENCMODE: "disable",
        HOME: this.#started.staging.path(""),
      },
    };
  }

  session(database: string, part: Part): Promise<Session> {
    const { place, programs, signal } = this.#started;
    const first = part === "reader" ? ["SET default_transaction_read_only = on"] : [];
    return openSession(place, this.connection(database, part), {
      psql: programs.psql,
      signal,
      first,
    });
  }

  /** A restorer and a reader: neither may do anything outside of its database. */
  async makeRoles(): Promise<void> {
    const session = await this.session("postgres", "administrator");
    this.#first = session;
    const role = (part: Part) =>
      `CREATE ROLE ${quoteIdentifier(this.#roles[part])} LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION BYPASSRLS PASSWORD ${quoteLiteral(this.#passwords[part])}`;
    await session.run(role("restorer"));
    await session.run(role("reader"));
    await session.run(`GRANT pg_read_all_data, pg_read_all_stats TO ${READER}`);
    await session.run(`ALTER ROLE ${READER} SET default_transaction_read_only = on`);
  }

  async createDatabase(
    name: string,
    locale: DatabaseLocale | undefined,
  ): Promise<readonly string[]> {
    await using session = this.#first ?? (await this.session("postgres", "administrator"));
    this.#first = undefined;
    const unknown: string[] = [];
    for (const { clause, told } of localesToTry(locale, this.major)) {
      try {
        await session.run(
          `CREATE DATABASE ${quoteIdentifier(name)} OWNER ${RESTORER} TEMPLATE template0 ${clause}`,
        );
        return unknown;
      } catch (error) {
        if (!(error instanceof SqlFailed) || told === undefined) throw error;
        unknown.push(told);
      }
    }
    return unknown;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#first?.close();
    await this.#started[Symbol.asyncDispose]();
  }
}

/**
 * Clauses of CREATE DATABASE, after its name: the locale that is wanted, then what comes close to it; the
 * last is in every system. `told` says what cannot be known once the one after it is taken.
 */
export function localesToTry(
  locale: DatabaseLocale | undefined,
  major: number,
): { readonly clause: string; readonly told: string | undefined }[] {
  const plain = (encoding: string) =>
    `ENCODING ${quoteLiteral(encoding)} LC_COLLATE 'C' LC_CTYPE 'C'`;
  if (locale === undefined) return [{ clause: plain("UTF8"), told: undefined }];
  const { encoding, collate, ctype, provider = "libc", locale: own } = locale;
  const [like, unlike] = [
    `ENCODING ${quoteLiteral(encoding)} LC_COLLATE ${quoteLiteral(collate)} LC_CTYPE ${quoteLiteral(ctype)}`,
    "so order, case and uniqueness of text under it could not be checked.",
  ];
  const like8 = `ENCODING 'UTF8' LC_COLLATE 'C' LC_CTYPE 'C.UTF-8'`;
  const missing = { clause: encoding === "UTF8" ? like8 : plain(encoding), told: undefined };
  if (provider === "libc") {
    return [
      { clause: like, told: `This system does not have the locale ${collate}, ${unlike}` },
      missing,
    ];
  }
  const named = provider === "icu" ? "ICU_LOCALE" : "BUILTIN_LOCALE";
  const known = provider === "icu" ? major >= 15 : major >= 17;
  const exact = `${like} LOCALE_PROVIDER ${provider} ${named} ${quoteLiteral(own ?? "C")}`;
  const told = `This server does not have the ${provider} locale ${own}, ${unlike}`;
  return [...(known ? [{ clause: exact, told }] : []), missing];
}
