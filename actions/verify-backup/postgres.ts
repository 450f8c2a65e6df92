import {
  type BackupManifest,
  BrokenPart,
  type KeptBackup,
  type OpenedBackup,
  type Part,
} from "../../shared/backup/index.ts";
import { type Dump, type DumpFile, dumpOf } from "../../shared/dump-format/index.ts";
import type {
  ExamineSettings,
  PostgresBackup,
  ServerAhead,
  ThrowAwaySettings,
} from "../../shared/postgres-restore/index.ts";
import type { Examination } from "../../shared/proof/index.ts";
import type { World } from "../../shared/world/index.ts";
import { type Declared, forPostgres } from "./declared.ts";
import type { Options } from "./inputs.ts";

const FOLDER = "dump/";

/**
 * The dump among the parts of a backup: one file, or the folder of the directory format.
 *
 * @throws {BrokenPart} where there is neither.
 */
export function postgresDump(backup: OpenedBackup & Partial<KeptBackup>): Dump {
  const { parts } = backup.manifest;
  const fileOf = ({ name, bytes }: Part, within = ""): DumpFile => ({
    ...{ name: name.slice(within.length), bytes, copy: backup.copyOf?.(name) },
    open: (signal) => backup.open(name, signal),
  });
  const files = parts
    .filter(({ name }) => name.startsWith(FOLDER))
    .map((part) => fileOf(part, FOLDER));
  if (files.length > 0) return { name: "dump", folder: true, files };
  const part = parts.find(({ name }) => name.startsWith("dump."));
  if (part === undefined) {
    throw new BrokenPart({
      ...{ detector: "missing-part", file: "dump", expected: "a dump", found: undefined },
      what: "The manifest names no dump, which a backup of PostgreSQL has.",
    });
  }
  return dumpOf(fileOf(part));
}

/** Proves a dump of PostgreSQL by the means that the inputs name. */
export async function provePostgres(
  backup: Pick<PostgresBackup, "dump" | "fingerprint">,
  { major, ...more }: Pick<ThrowAwaySettings, "major"> & Pick<ExamineSettings, "reading" | "ahead">,
  { options, declared }: { readonly options: Options; readonly declared: Declared },
  world: World,
): Promise<Examination> {
  const { examinePostgres } = await import("../../shared/postgres-restore/index.ts");
  const settings = { ...more, server: serverSettings(major, options), amcheck: options.amcheck };
  return await examinePostgres(
    { ...backup, ...forPostgres(declared) },
    settings,
    options.tier,
    world,
  );
}

function serverSettings(major: number | undefined, options: Options): ThrowAwaySettings {
  return {
    server: options.server,
    ...{ major, orNewer: true, bin: options.postgresBin, image: options.image },
    ...{ jobs: options.jobs, time: options.timeLimit, memory: options.memory },
    cluster: {
      ...{ kubeconfig: options.kubeconfig, context: options.context },
      ...{ namespace: options.namespace },
      ...{ volumeSize: options.volumeSize, volumeClass: options.volumeClass },
    },
  };
}

/**
 * Begins to start the server that a backup will be restored into, while it is still read: on this
 * machine that takes a second and little else, and is thrown away where nothing is restored.
 */
export async function postgresAhead(
  { kind, source }: BackupManifest,
  options: Options,
  world: World,
): Promise<ServerAhead | undefined> {
  const isHere = options.server === "local" || options.server === "auto";
  const major = majorIn(source);
  if (kind !== "postgres" || options.tier === "integrity" || !isHere) return undefined;
  if (major === undefined) return undefined;
  const { startAhead } = await import("../../shared/postgres-restore/index.ts");
  return startAhead(serverSettings(major, options), world);
}

/** The server's major version, as the manifest has it. */
export function majorIn({ server }: BackupManifest["source"]): number | undefined {
  const major = Number.parseInt(server ?? "", 10);
  return Number.isNaN(major) ? undefined : major;
}
