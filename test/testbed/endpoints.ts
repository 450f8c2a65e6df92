import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Bed } from "./bed.ts";
import { readConfiguration, TestbedError } from "./configuration.ts";
import {
  agePrograms,
  nameOfPostgres,
  pgbackrestPrograms,
  postgresMajors,
  postgresPrograms,
  redisPrograms,
  type SearchPrograms,
  searchPrograms,
} from "./databases.ts";
import { buildkitInContainer } from "./images/buildkit.ts";
import { busybox } from "./images/busybox.ts";
import { imagesOfDatabases } from "./images/databases.ts";
import { reference } from "./images/image.ts";
import { node } from "./images/node.ts";
import { buildkitSocket } from "./servers/buildkit.ts";
import { dockerSocket } from "./servers/docker.ts";
import { type ObjectStore, objectStore } from "./servers/minio.ts";
import { dockerConfig } from "./tools.ts";

/** Where the servers are found that a test or the demo works against. */
export interface Endpoints {
  /** File with an administrator's access to the cluster. */
  readonly kubeconfig: string;
  /** Host and port of the registry, which speaks plain HTTP and has the same name in the cluster. */
  readonly registry: string;
  /** Address of BuildKit, for `buildx create --driver remote` and for BUILDKIT_HOST. */
  readonly buildkit: string;
  /** Value for DOCKER_CONFIG: its builder "seaworthy" is that BuildKit. */
  readonly dockerConfig: string;
  /** Folder to put first on the PATH: helm, helm3, kubectl, act, buildx, as far as brought up. */
  readonly bin: string;
  /** Folder with grype, and what makes a database for it; on the PATH only for who wants a scan. */
  readonly scanners: string;
  /** Address of the node: node ports answer there. */
  readonly nodeAddress: string;
  /** Image with Node 24 and npm. */
  readonly nodeImage: string;
  /** Image with a shell and small programs. */
  readonly busyboxImage: string;
  /** Image of BuildKit, for builders in containers and pods. */
  readonly buildkitImage: string;
  /** Address of the Docker engine, for DOCKER_HOST. */
  readonly dockerHost: string;
  /** By major of PostgreSQL: folder with all its programs, servers and clients. */
  readonly postgres: Readonly<Record<string, string>>;
  /** Folder with redis-server, redis-cli and redis-check-rdb. */
  readonly redis: string;
  /** Folder with pgbackrest. */
  readonly pgbackrest: string;
  /** Folder with age and age-keygen. */
  readonly age: string;
  /** What starts an OpenSearch and an Elasticsearch, which tests do by themselves. */
  readonly opensearch: SearchPrograms;
  readonly elasticsearch: SearchPrograms;
  /** Images for pods and containers, by piece: `postgres-15-image`, `redis-image`. */
  readonly images: Readonly<Record<string, string>>;
  /** An object store like S3 with object lock; its keys are empty where it was not brought up. */
  readonly objectStore: ObjectStore;
  /** Names of the pieces that were brought up. */
  readonly pieces: readonly string[];
}

/** The three servers for which the user can name ones that run elsewhere. */
export const external: Readonly<Record<string, string>> = {
  kubernetes: "SEAWORTHY_KUBECONFIG",
  registry: "SEAWORTHY_REGISTRY",
  buildkit: "SEAWORTHY_BUILDKIT",
};

/** Which of the three the environment names, so that the bed does not bring them up. */
export function namedByUser(environment: NodeJS.ProcessEnv): string[] {
  const named = Object.keys(external).filter((name) => environment[external[name] ?? ""]);
  if (named.includes("kubernetes") !== named.includes("registry")) {
    throw new TestbedError(
      "SEAWORTHY_KUBECONFIG and SEAWORTHY_REGISTRY go together: a cluster must be able to pull " +
        "from the registry, and neither reaches the test bed's. Set both, or neither.",
    );
  }
  return named;
}

/** The endpoints of a bed with these pieces. */
export async function endpointsOf(bed: Bed, pieces: readonly string[]): Promise<Endpoints> {
  return {
    kubeconfig: bed.path("kubeconfig"),
    registry: bed.registry,
    buildkit: `unix://${buildkitSocket(bed)}`,
    dockerConfig: dockerConfig(bed),
    bin: bed.path("bin"),
    scanners: bed.path("scanners"),
    nodeAddress: bed.addresses.node,
    nodeImage: reference(bed, node),
    busyboxImage: reference(bed, busybox),
    buildkitImage: reference(bed, buildkitInContainer),
    dockerHost: `unix://${dockerSocket(bed)}`,
    postgres: postgresOf(bed, pieces),
    redis: redisPrograms(bed),
    pgbackrest: pgbackrestPrograms(bed),
    age: agePrograms(bed),
    opensearch: searchPrograms(bed, "opensearch"),
    elasticsearch: searchPrograms(bed, "elasticsearch"),
    images: referencesOf(bed, pieces),
    objectStore: await objectStore(bed),
    pieces,
  };
}

function postgresOf(bed: Bed, pieces: readonly string[]): Readonly<Record<string, string>> {
  const majors = postgresMajors.filter((major) => pieces.includes(nameOfPostgres(major)));
  return Object.fromEntries(majors.map((major) => [major, postgresPrograms(bed, major)]));
}

function referencesOf(bed: Bed, pieces: readonly string[]): Readonly<Record<string, string>> {
  const made = Object.entries(imagesOfDatabases).filter(([name]) => pieces.includes(name));
  return Object.fromEntries(made.map(([name, image]) => [name, reference(bed, image)]));
}

/** Puts what the environment names in place of the bed's own. */
export function withNamedByUser(endpoints: Endpoints, environment: NodeJS.ProcessEnv): Endpoints {
  const set = (variable: string) => environment[variable] || undefined;
  const registry = set("SEAWORTHY_REGISTRY");
  // The bed's images are in its own registry only: another cluster takes them from the world's.
  const image = (variable: string, own: string, theirs: string) =>
    set(variable) ?? (registry === undefined ? own : theirs);
  return {
    ...endpoints,
    kubeconfig: set("SEAWORTHY_KUBECONFIG") ?? endpoints.kubeconfig,
    registry: registry ?? endpoints.registry,
    buildkit: set("SEAWORTHY_BUILDKIT") ?? endpoints.buildkit,
    nodeImage: image("SEAWORTHY_NODE_IMAGE", endpoints.nodeImage, "node:24-alpine"),
    busyboxImage: image("SEAWORTHY_BUSYBOX_IMAGE", endpoints.busyboxImage, "busybox:1"),
  };
}

/**
 * Where to find the servers: those that the environment names, else those of the running bed.
 * `needed` are names of pieces or groups without which the caller cannot go on.
 */
export async function resolveEndpoints(
  needed: readonly string[] = [],
  environment: NodeJS.ProcessEnv = process.env,
): Promise<Endpoints> {
  const named = namedByUser(environment);
  const kept = await readEndpoints(readConfiguration(environment).state);
  const missing = needed.filter((name) => !named.includes(name) && !kept?.pieces.includes(name));
  if (missing.length > 0 || (!kept && named.length === 0)) {
    const variables = missing.map((name) => external[name]).filter(Boolean);
    const instead = variables.length > 0 ? `, or set ${variables.join(" and ")}` : "";
    throw new TestbedError(
      `The test bed is not up${missing.length > 0 ? ` with ${missing.join(", ")}` : ""}. ` +
        `Run: npm run testbed -- up ${missing.join(" ")}`.trimEnd() +
        instead,
    );
  }
  return withNamedByUser(kept ?? nowhere, environment);
}

const nowhere: Endpoints = {
  kubeconfig: "",
  registry: "",
  buildkit: "",
  dockerConfig: "",
  bin: "",
  scanners: "",
  nodeAddress: "",
  nodeImage: "",
  busyboxImage: "",
  buildkitImage: "",
  dockerHost: "",
  postgres: {},
  redis: "",
  pgbackrest: "",
  age: "",
  opensearch: { java: "", libraries: "" },
  elasticsearch: { java: "", libraries: "" },
  images: {},
  objectStore: { url: "", region: "", accessKeyId: "", secretAccessKey: "" },
  pieces: [],
};

/** What the last `up` left written; undefined without one. */
export async function readEndpoints(state: string): Promise<Endpoints | undefined> {
  const text = await readFile(join(state, "endpoints.json"), "utf8").catch(() => undefined);
  return text === undefined ? undefined : (JSON.parse(text) as Endpoints);
}

/** The endpoints as the environment variables that programs read. */
export function variables(
  endpoints: Endpoints,
  environment: NodeJS.ProcessEnv = process.env,
): Record<string, string> {
  // A proxy, where there is one, leads out of this machine.
  const direct = [environment.NO_PROXY, "127.0.0.1", endpoints.nodeAddress].filter(Boolean);
  return {
    NO_PROXY: direct.join(","),
    KUBECONFIG: endpoints.kubeconfig,
    REGISTRY: endpoints.registry,
    BUILDKIT_HOST: endpoints.buildkit,
    BUILDX_BUILDER: "seaworthy",
    DOCKER_CONFIG: endpoints.dockerConfig,
    PATH: endpoints.bin,
  };
}
