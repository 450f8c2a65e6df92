import type { Bed } from "./bed.ts";
import { type Jars, jarsFolder } from "./build/jars.ts";
import type { System } from "./build/system.ts";
import * as modules from "./modules.ts";
import type { Tool } from "./piece.ts";

/** Each major from the release whose own version it is, which keeps its fixes coming. */
const postgresOf = {
  "14": { release: "jammy", extensions: [] },
  "15": { release: "bookworm", extensions: [] },
  "16": { release: "noble", extensions: ["postgresql-16-pgvector"] },
  "17": { release: "trixie", extensions: ["postgresql-17-pgvector"] },
  "18": { release: "resolute", extensions: ["postgresql-18-pgvector"] },
} as const satisfies Record<string, Pick<System, "release"> & { extensions: readonly string[] }>;

export type PostgresMajor = keyof typeof postgresOf;

/** The majors of PostgreSQL that the bed has. */
export const postgresMajors = Object.keys(postgresOf) as readonly PostgresMajor[];

/** Server, clients and extensions of a major. */
export function postgresSystem(major: PostgresMajor): System {
  const { release, extensions } = postgresOf[major];
  const packages = [`postgresql-${major}`, `postgresql-client-${major}`, ...extensions];
  return { name: `postgres-${major}`, release, packages };
}

/** The name of the piece with a major. */
export function nameOfPostgres(major: PostgresMajor): string {
  return `postgres-${major}`;
}

/** Folder with every program of a major. */
export function postgresPrograms(bed: Bed, major: PostgresMajor): string {
  return bed.system(postgresSystem(major), `usr/lib/postgresql/${major}/bin`);
}

/** Redis, to be started by who wants one. */
export const redisSystem: System = {
  name: "redis",
  release: "bookworm",
  packages: ["redis-server", "redis-tools"],
};

/** Backs PostgreSQL up by its files and its write-ahead log. */
const pgbackrestSystem: System = {
  name: "pgbackrest",
  release: "bookworm",
  packages: ["pgbackrest"],
};

/** Folder with pgbackrest. */
export function pgbackrestPrograms(bed: Bed): string {
  return bed.system(pgbackrestSystem, "usr/bin");
}

/** Folder with redis-server, redis-cli, redis-check-rdb and others. */
export function redisPrograms(bed: Bed): string {
  return bed.system(redisSystem, "usr/bin");
}

/** Folder with age and age-keygen. */
export function agePrograms(bed: Bed): string {
  return bed.built(modules.age, "");
}

/** What runs Java programs. */
const javaSystem: System = {
  name: "java",
  release: "trixie",
  packages: ["openjdk-21-jre-headless"],
};

/** OpenSearch and Elasticsearch, each with what runs one node of it. */
const searchJars = {
  opensearch: { name: "opensearch-3" },
  elasticsearch: { name: "elasticsearch-7" },
} as const satisfies Record<string, Jars>;

/** What it takes to start a search server of a test's own. */
export interface SearchPrograms {
  /** The Java program. */
  readonly java: string;
  /** Folder with the server's libraries. */
  readonly libraries: string;
}

/** Where the programs of a search server are. */
export function searchPrograms(bed: Bed, name: keyof typeof searchJars): SearchPrograms {
  const machine = process.arch === "arm64" ? "arm64" : "amd64";
  return {
    java: bed.system(javaSystem, `usr/lib/jvm/java-21-openjdk-${machine}/bin/java`),
    libraries: jarsFolder(bed.cache, searchJars[name]),
  };
}

/** Programs of databases and of their backups: nobody finds them on the PATH by accident. */
export const databases: readonly Tool[] = [
  ...postgresMajors.map((major) => ({
    name: nameOfPostgres(major),
    needs: [],
    systems: [postgresSystem(major)],
  })),
  { name: "redis", needs: [], systems: [redisSystem] },
  { name: "pgbackrest", needs: [], systems: [pgbackrestSystem] },
  ...Object.entries(searchJars).map(([name, jars]) => ({
    name,
    needs: [],
    systems: [javaSystem],
    jars: [jars],
  })),
  { name: "age", needs: [], modules: [modules.age] },
];
