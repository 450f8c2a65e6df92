import type { Kind } from "../../shared/backup/index.ts";
import { UserError } from "../../shared/failure/index.ts";
import type { Options } from "./inputs.ts";

/** What tells the kind of the source. */
type Tokens = Pick<Options, "kind" | "source" | "service" | "pod">;

/** Schemes of addresses that leave no doubt. */
const BY_SCHEME: Readonly<Record<string, Kind>> = {
  postgres: "postgres",
  postgresql: "postgres",
  redis: "redis",
  rediss: "redis",
  s3: "bucket",
  file: "directory",
};

/**
 * What is to be backed up: as `kind` says, else as the source's address tells.
 *
 * @param environment where PGHOST and its like say that it is PostgreSQL.
 * @throws {UserError} when nothing tells, or when kind and address contradict each other.
 */
export function kindOf(
  tokens: Tokens,
  environment: Readonly<Record<string, string | undefined>>,
): Kind {
  const { kind, source = "", service, pod } = tokens;
  const scheme = /^([a-z][a-z0-9+.-]*):\/\//i.exec(source)?.[1]?.toLowerCase();
  const told = scheme === undefined ? undefined : BY_SCHEME[scheme];
  if (kind !== "auto") {
    if (told !== undefined && told !== kind) throw contradiction(kind, scheme ?? "", told);
    return kind;
  }
  if (told !== undefined) return told;
  if (scheme === "http" || scheme === "https") {
    throw unclear(
      "The address of source is one of OpenSearch, Elasticsearch or many other services.",
    );
  }
  if (scheme !== undefined) throw unclear(`Addresses that begin with ${scheme}:// are not known.`);
  if (pod !== undefined) throw unclear("A pod alone does not tell what runs in it.");
  if (service !== undefined) return "postgres";
  if (source !== "") return "directory";
  if (environment.PGHOST || environment.PGSERVICE || environment.PGDATABASE) return "postgres";
  throw new UserError({
    title: "Nothing to back up was named",
    cause:
      "None of source, service and pod is given, and none of PGHOST, PGSERVICE and PGDATABASE is set.",
    remedy:
      "Give source, such as postgres://user@host/database, redis://host, s3://bucket or a folder.",
  });
}

function unclear(cause: string): UserError {
  return new UserError({
    title: "It is not clear what is to be backed up",
    cause,
    remedy:
      "Give kind: postgres, redis, opensearch, elasticsearch, bucket or directory. Nothing was read yet.",
  });
}

function contradiction(kind: Kind, scheme: string, told: Kind): UserError {
  return new UserError({
    title: "kind and source contradict each other",
    cause: `kind is ${kind}, and an address that begins with ${scheme}:// is one of ${told}.`,
    remedy: "Leave kind out, or give the address of what it says. Nothing was read yet.",
  });
}
