import {
  type DumpExamination,
  type ExamineOptions,
  examineDump,
  lacksStructure,
  recognise,
  type Dump as StoredDump,
} from "../dump-format/index.ts";
import { describe, UserError } from "../failure/index.ts";
import {
  compareFingerprints,
  type Expectations,
  fingerprintAgainst,
  type PostgresFingerprint,
  takeFingerprint,
} from "../postgres-fingerprint/index.ts";
import type { Examination, ExaminationPhase, Finding, Item, Tier } from "../proof/index.ts";
import type { World } from "../world/index.ts";
import type { Dump } from "./dump/dump.ts";
import { checkStructures } from "./examine/amcheck.ts";
import type { ApplicationQuery } from "./examine/application-queries.ts";
import { askQueries } from "./examine/ask.ts";
import { knownAtSource } from "./examine/known-at-source.ts";
import { type LiveSource, readLiveSource, sinceTheDump } from "./examine/live-source.ts";
import { type ServerAhead, startAhead } from "./examine/server-ahead.ts";
import { restorable } from "./examine/unpacked.ts";
import { restoreDump } from "./restore.ts";
import { Refusals } from "./restoring/refusals.ts";
import type { RestoreReport } from "./restoring/report.ts";
import {
  type DatabaseLocale,
  openThrowAway,
  type ThrowAwayServer,
  type ThrowAwaySettings,
} from "./throw-away.ts";

/** What is to be proven, and what it is held against. */
export interface PostgresBackup {
  readonly dump: StoredDump;
  /** What the database held when the dump was taken. */
  readonly fingerprint?: PostgresFingerprint | undefined;
  /** Where there is no fingerprint: the database as it is now. */
  readonly liveSource?: LiveSource | undefined;
  /** What its user declares; it counts where there is neither of the two. */
  readonly expectations?: Expectations | undefined;
  /** A dump of definitions that the restored ones have to be like, with the expectations. */
  readonly schema?: StoredDump | undefined;
  /** Asked at the tier `full`. */
  readonly queries?: readonly ApplicationQuery[] | undefined;
}

/** How a dump is read and where it is restored. */
export interface ExamineSettings {
  readonly server: ThrowAwaySettings;
  readonly reading?: Pick<ExamineOptions, "limits" | "decrypt" | "onProgress"> | undefined;
  /** Whether the server checks its indexes and tables at the tier `full`; it does when left out. */
  readonly amcheck?: boolean | undefined;
  /** A server that whoever read the backup has begun to start already. */
  readonly ahead?: ServerAhead | undefined;
}

const DATABASE = "restored";
const SCHEMA_DATABASE = "declared";
const PATIENCE_MS = 60_000;
/** pg_restore waits for ever for what a broken tar lacks. */
const SHORT_PATIENCE_MS = 5_000;
const UNPROVEN =
  "There is no fingerprint of the source and no live source: whether rows, tables or definitions are missing or were changed cannot be known beyond what was declared.";
const UNCHECKED =
  "The server was not asked to check its indexes and tables (amcheck), as its user wanted it.";
const SINCE =
  "It was held against the live source as it is now: what differs was either changed since the dump or is missing from it, and rows that both lack cannot be known.";

/**
 * Proves a dump of a PostgreSQL database as far as a tier goes: reads every byte; restores it into
 * a server of its own, which is thrown away; holds everything against what is known of the source.
 *
 * @throws {UserError} where something that is needed cannot be had: a server, its programs, a key.
 * What is wrong with the dump is never thrown.
 */
export async function examinePostgres(
  backup: PostgresBackup,
  settings: ExamineSettings,
  tier: Tier,
  world: World,
): Promise<Examination> {
  const began = performance.now();
  const expected = expectedRowsOf(backup.fingerprint);
  const reader = { ...settings.reading, signal: world.signal, expected };
  // What is restored and held against a fingerprint need not be unpacked twice.
  const skim = tier !== "integrity" && backup.fingerprint !== undefined;
  await using ahead = startedAhead(backup, settings, tier, world);
  const read = knownIn(await examineDump(backup.dump, { ...reader, skim }), backup);
  const name = skim ? "reading the structure" : "reading every byte";
  const reading = { name, from: 0, to: since(began) };
  const integrity: Examination = { ...ofExamination(read), phases: [reading] };
  if (tier === "integrity") return integrity;
  const dump = restorable(backup.dump, read.recognised, {
    ...settings.reading,
    signal: world.signal,
  });
  const rowsOnly = backup.fingerprint === undefined && lacksStructure(read.findings);
  if (dump === undefined || rowsOnly || read.findings.some(({ detector }) => detector === "bomb")) {
    const why = rowsOnly ? "there are no tables for its rows" : "it is nothing that could be";
    return { ...integrity, unknown: [...read.unknown, `It was not restored, for ${why}.`] };
  }
  const known = backup.fingerprint ?? (await liveFingerprint(backup, world));
  const proof = new Proof({ backup, settings, tier, world, began, ahead });
  const examined = await proof.of(dump, read, known);
  const isProven = [...read.findings, ...examined.findings].every(
    ({ weight }) => weight === "note",
  );
  // Where something is wrong, the bytes tell more of it.
  const closer =
    skim && !(isProven && examined.reached === tier)
      ? knownIn(await examineDump(backup.dump, reader), backup)
      : read;
  return {
    ...examined,
    findings: [
      ...closer.findings.filter((finding) => !isAnswered(finding, examined)),
      ...examined.findings,
    ],
    unknown: [
      ...new Set(
        examined.reached === "integrity"
          ? [...closer.unknown, ...examined.unknown]
          : examined.unknown,
      ),
    ],
    phases: [reading, ...(examined.phases ?? [])],
  };
}

/**
 * Where the source's version is known, a server on this machine starts while the dump is read: it
 * takes little, and is thrown away where the dump turns out to need another one or none.
 */
function startedAhead(
  { fingerprint }: PostgresBackup,
  { server, ahead }: ExamineSettings,
  tier: Tier,
  world: World,
): ServerAhead | undefined {
  if (ahead !== undefined) return ahead;
  const isHere = server.server === "local" || server.server === "auto";
  if (tier === "integrity" || fingerprint === undefined || !isHere) return undefined;
  return startAhead(
    { orNewer: true, ...server, major: server.major ?? ownMajor(fingerprint) },
    world,
  );
}

/** Seconds since a moment of `performance.now()`. */
function since(moment: number): number {
  return (performance.now() - moment) / 1_000;
}

function ofExamination({ findings, items, unit, reached, unknown }: DumpExamination): Examination {
  return { findings, items, unit, reached, unknown };
}

/** Of a dump of roles alone, or of an empty database. */
function holdsNothing({ catalog, largeObjects }: PostgresFingerprint): boolean {
  const kinds = ["table", "view", "materialized view", "type", "function", "sequence"] as const;
  return largeObjects.count === 0 && kinds.every((kind) => catalog[kind] === undefined);
}

/** What looks hostile in a stranger's dump, and was at the source of this one. */
function knownIn(read: DumpExamination, { fingerprint }: PostgresBackup): DumpExamination {
  if (fingerprint === undefined) return read;
  return {
    ...read,
    findings: knownAtSource(read.findings, new Refusals().all, fingerprint).findings,
  };
}

function isBroken({ findings }: DumpExamination): boolean {
  return findings.some(({ weight }) => weight === "damage");
}

/** What reading alone had to leave open, and the restore has told. */
function isAnswered({ detector, weight }: Finding, { reached }: Examination): boolean {
  return reached !== "integrity" && weight === "note" && detector === "checksum";
}

function expectedRowsOf(fingerprint: PostgresFingerprint | undefined): ExamineOptions["expected"] {
  if (fingerprint === undefined) return undefined;
  const rows = new Map<string, number>();
  const excluded = new Set<string>();
  for (const [name, { rows: count, unread, passing }] of Object.entries(fingerprint.tables)) {
    if (unread !== undefined || passing !== undefined) excluded.add(name);
    else rows.set(name, count);
  }
  return { rows, excluded };
}

async function liveFingerprint(
  { liveSource }: PostgresBackup,
  world: World,
): Promise<PostgresFingerprint | undefined> {
  return liveSource === undefined ? undefined : readLiveSource(liveSource, world.signal);
}

interface ProofParts {
  readonly backup: PostgresBackup;
  readonly settings: ExamineSettings;
  readonly tier: Exclude<Tier, "integrity">;
  readonly world: World;
  /** When the examination began, by `performance.now()`. */
  readonly began: number;
  readonly ahead: ServerAhead | undefined;
}

/** The restore and all that follows from it. */
class Proof {
  readonly #backup: PostgresBackup;
  readonly #settings: ExamineSettings;
  readonly #tier: Exclude<Tier, "integrity">;
  readonly #world: World;
  readonly #began: number;
  readonly #ahead: ServerAhead | undefined;
  readonly #findings: Finding[] = [];
  readonly #unknown: string[] = [];
  #refused = new Refusals().all;
  readonly #phases: ExaminationPhase[] = [];

  constructor({ backup, settings, tier, world, began, ahead }: ProofParts) {
    this.#backup = backup;
    this.#settings = settings;
    this.#tier = tier;
    this.#world = world;
    this.#began = began;
    this.#ahead = ahead;
  }

  async of(
    dump: Dump,
    read: DumpExamination,
    known: PostgresFingerprint | undefined,
  ): Promise<Examination> {
    const major = this.#settings.server.major ?? majorFor(dump, read, known);
    const settings = { orNewer: true, ...this.#settings.server, major };
    await using server = await this.#take(
      "starting a server",
      async () => (await this.#ahead?.take(major)) ?? openThrowAway(settings, this.#world),
    );
    if (major !== undefined && server.major !== major) {
      this.#unknown.push(
        `PostgreSQL ${major} was not to be had, so it was restored into ${server.major}; how ${major} takes it is not known.`,
      );
    }
    this.#unknown.push(...(await server.createDatabase(DATABASE, known && localeOf(known))));
    const report = await this.#restored(dump, server, isBroken(read));
    const items =
      report?.finished === true
        ? await this.#take("comparison", () => this.#compared(server, known))
        : undefined;
    if (items !== undefined && this.#tier === "full")
      await this.#take("checks", () => this.#fully(server));
    return {
      findings: this.#findings,
      items: items ?? itemsOf(known, undefined),
      unit: "rows",
      reached: items === undefined ? "integrity" : this.#tier,
      unknown: this.#unknown,
      restoreSeconds: report?.seconds,
      phases: this.#phases,
      circumstances: { server: server.name, isolation: isolationOf(server) },
    };
  }

  async #restored(
    dump: Dump,
    server: ThrowAwayServer,
    broken: boolean,
  ): Promise<RestoreReport | undefined> {
    const { jobs } = this.#settings.server;
    const offset = since(this.#began);
    try {
      const report = await restoreDump(
        dump,
        server,
        {
          tier: this.#tier,
          database: DATABASE,
          patience: broken ? SHORT_PATIENCE_MS : PATIENCE_MS,
          ...(jobs === undefined ? {} : { jobs }),
        },
        this.#world,
      );
      this.#phases.push(
        ...report.phases.map(({ name, from, to }) => ({
          name,
          from: offset + from,
          to: offset + to,
        })),
      );
      this.#findings.push(...report.findings);
      this.#refused = report.refused;
      return report;
    } catch (error) {
      this.#world.signal.throwIfAborted();
      // Reading the dump failed: that it is broken has been told, or is told now.
      if (error instanceof UserError) throw error;
      this.#find(
        "restore",
        "damage",
        "dump",
        `It could not be read to its end: ${describe(error).replace(/\.$/, "")}.`,
      );
      return undefined;
    }
  }

  async #compared(
    server: ThrowAwayServer,
    known: PostgresFingerprint | undefined,
  ): Promise<readonly Item[] | undefined> {
    try {
      const found = await takeFingerprint(
        { open: () => reading(server) },
        {
          parallel: this.#settings.server.jobs ?? 2,
          signal: server.signal,
          like: known,
          heartbeat: this.#backup.fingerprint?.heartbeat?.of,
        },
      );
      return await this.#held(server, known, found);
    } catch (error) {
      this.#world.signal.throwIfAborted();
      if (!server.signal.aborted && !(error instanceof UserError)) throw error;
      const why = server.signal.aborted ? describe(server.signal.reason) : describe(error);
      this.#find(
        "restore",
        "damage",
        "dump",
        `What was restored could not be read back: ${why.replace(/\.$/, "")}.`,
      );
      return undefined;
    }
  }

  async #held(
    server: ThrowAwayServer,
    known: PostgresFingerprint | undefined,
    found: PostgresFingerprint,
  ): Promise<readonly Item[]> {
    const { expectations, fingerprint } = this.#backup;
    if (known !== undefined) {
      const compared = compareFingerprints(known, found, { tier: this.#tier });
      const live = fingerprint === undefined;
      this.#findings.push(...(live ? compared.findings.map(sinceTheDump) : compared.findings));
      this.#unknown.push(...compared.unknown, ...(live ? [SINCE] : []));
      const excused = knownAtSource(this.#findings, this.#refused, known);
      this.#findings.splice(0, this.#findings.length, ...excused.findings);
      this.#unknown.push(...excused.unknown);
      if (expectations === undefined) return compared.items;
      const declared = fingerprintAgainst(expectations, found, { tier: this.#tier });
      this.#findings.push(...declared.findings);
      return compared.items;
    }
    this.#unknown.push(UNPROVEN);
    if (holdsNothing(found)) {
      this.#find(
        "structure",
        "doubt",
        "dump",
        "It was restored, and there is nothing in it: no table, view, type or function.",
      );
    }
    if (expectations === undefined) return itemsOf(undefined, found);
    const schema = await this.#schema(server);
    const declared = fingerprintAgainst(expectations, found, { tier: this.#tier, schema });
    this.#findings.push(...declared.findings);
    this.#unknown.push(...declared.unknown);
    return declared.items;
  }

  /** What the schema file makes of a database of its own, beside the restored one. */
  async #schema(server: ThrowAwayServer): Promise<PostgresFingerprint | undefined> {
    const { schema } = this.#backup;
    if (schema === undefined) return undefined;
    const { signal } = this.#world;
    const recognised = await recognise(schema, signal);
    const dump = restorable(schema, recognised, { signal });
    if (dump === undefined) {
      throw new UserError({
        title: "The schema file is none",
        cause: `${schema.name} is ${recognised.sentence}.`,
        remedy: "Write it by pg_dump --schema-only.",
      });
    }
    await server.createDatabase(SCHEMA_DATABASE, undefined);
    const options = { tier: this.#tier, database: SCHEMA_DATABASE };
    const { findings } = await restoreDump(dump, server, options, this.#world);
    const broken = findings.find(({ weight }) => weight !== "note");
    if (broken !== undefined) {
      this.#find(
        "expectation",
        "doubt",
        schema.name,
        `The schema file itself does not restore: ${broken.what}`,
      );
    }
    return takeFingerprint(
      { open: () => reading(server, SCHEMA_DATABASE) },
      { parallel: 1, signal: server.signal },
    );
  }

  async #fully(server: ThrowAwayServer): Promise<void> {
    try {
      const { queries = [] } = this.#backup;
      if (queries.length > 0) {
        await using reader = await server.session(DATABASE, "reader");
        this.#findings.push(...(await askQueries(reader, queries)));
      }
      if (this.#settings.amcheck === false) {
        this.#unknown.push(UNCHECKED);
        return;
      }
      const { findings, unknown } = await checkStructures(server, DATABASE);
      this.#findings.push(...findings);
      this.#unknown.push(...unknown);
    } catch (error) {
      this.#world.signal.throwIfAborted();
      if (!server.signal.aborted) throw error;
      this.#find(
        "limit",
        "damage",
        "dump",
        `What was restored could not be checked to its end. ${describe(server.signal.reason)}`,
      );
    }
  }

  async #take<T>(name: string, work: () => Promise<T>): Promise<T> {
    const from = since(this.#began);
    try {
      return await work();
    } finally {
      this.#phases.push({ name, from, to: since(this.#began) });
    }
  }

  #find(detector: string, weight: Finding["weight"], subject: string, what: string): void {
    this.#findings.push({ detector, tier: this.#tier, weight, subject, what });
  }
}

/** `with no network, …; without …, for …`: one line for a report. */
function isolationOf({ safeguards }: ThrowAwayServer): string {
  const had = safeguards.filter((safeguard) => safeguard.had).map(({ name }) => name);
  const missed = safeguards
    .filter((safeguard) => !safeguard.had)
    .map(({ name, detail }) => `without ${name} (${detail})`);
  return [...(had.length > 0 ? [`with ${had.join(", ")}`] : []), ...missed].join("; ");
}

const PROVIDERS = ["libc", "icu", "builtin"] as const;

function localeOf({ database }: PostgresFingerprint): DatabaseLocale {
  return {
    encoding: database.encoding,
    collate: database.collate,
    ctype: database.ctype,
    provider: PROVIDERS.find((provider) => provider === database.provider),
    locale: database.locale ?? undefined,
  };
}

/** A connection that sees one moment and writes nothing. */
async function reading(server: ThrowAwayServer, database = DATABASE) {
  const session = await server.session(database, "reader");
  await session.run("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY");
  return session;
}

/**
 * The version to restore into: the source's own. An archive of a later pg_dump can only be read by
 * a later pg_restore, since version 16.
 */
function majorFor(
  dump: Dump,
  { server, dumper }: DumpExamination,
  known: PostgresFingerprint | undefined,
): number | undefined {
  const own = known === undefined ? majorOf(server) : ownMajor(known);
  const wrote = majorOf(dumper);
  if (own === undefined) return dump.form === "plain" ? undefined : wrote;
  const later = wrote !== undefined && wrote > own && wrote >= 16 && dump.form !== "plain";
  return Math.max(14, later ? wrote : own);
}

function ownMajor({ server }: PostgresFingerprint): number {
  return Math.floor(server.versionNumber / 10_000);
}

function majorOf(version: string | undefined): number | undefined {
  const major = /^\D*(\d+)/.exec(version ?? "")?.[1];
  return major === undefined ? undefined : Number(major);
}

function itemsOf(
  known: PostgresFingerprint | undefined,
  found: PostgresFingerprint | undefined,
): readonly Item[] {
  const names = [
    ...new Set([...Object.keys(known?.tables ?? {}), ...Object.keys(found?.tables ?? {})]),
  ];
  return names.map((name) => ({
    name,
    expected: known?.tables[name]?.rows,
    found: found?.tables[name]?.rows,
    same: undefined,
    bytes: (found ?? known)?.tables[name]?.bytes,
  }));
}
