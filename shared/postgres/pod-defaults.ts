import { UserError } from "../failure/index.ts";
import { outputOf, type Place } from "../place/index.ts";
import type { World } from "../world/index.ts";

/** Whom a container's own variables name. */
export interface PodDefaults {
  readonly user: string;
  readonly database: string | undefined;
  readonly password: string | undefined;
}

/**
 * Prints the variables that images of PostgreSQL set for themselves, and passwords that they keep
 * in files; each ends with a NUL.
 */
const PRINT = `for name in PGUSER POSTGRES_USER POSTGRESQL_USERNAME POSTGRESQL_USER PGDATABASE POSTGRES_DB POSTGRESQL_DATABASE PGPASSWORD POSTGRES_PASSWORD POSTGRESQL_PASSWORD; do
  eval "value=\\"\\\${$name-}\\""
  [ -n "$value" ] && printf '%s=%s\\000' "$name" "$value"
done
for name in POSTGRES_PASSWORD POSTGRESQL_PASSWORD; do
  eval "file=\\"\\\${\${name}_FILE-}\\""
  [ -n "$file" ] && [ -r "$file" ] && printf '%s=%s\\000' "$name" "$(cat "$file")"
done
exit 0`;

/** Reads them from a container that runs a server. */
export async function podDefaults(
  place: Place,
  { signal, secrets }: Pick<World, "signal" | "secrets">,
): Promise<PodDefaults> {
  const running = await place.start({ program: "sh", args: ["-c", PRINT] }, signal);
  const output = outputOf(
    running,
    ({ message }) =>
      new UserError({
        title: "The pod cannot be looked into",
        cause: `The environment of ${place.name} could not be read: ${message}.`,
        remedy: "Check that the pod runs, and that its container has a shell.",
      }),
  );
  const chunks: Buffer[] = [];
  for await (const chunk of output) chunks.push(chunk as Buffer);
  const found = defaultsFrom(Buffer.concat(chunks).toString());
  if (found.password !== undefined) secrets.add(found.password);
  return found;
}

/** @param printed `NAME=value` pairs, each ended by a NUL. */
export function defaultsFrom(printed: string): PodDefaults {
  const pairs = printed.split("\0").flatMap((pair) => {
    const at = pair.indexOf("=");
    return at < 0 ? [] : [[pair.slice(0, at), pair.slice(at + 1)] as const];
  });
  const values = new Map(pairs);
  const first = (...names: string[]) =>
    names.map((name) => values.get(name)).find((value) => value !== undefined);
  return {
    user: first("PGUSER", "POSTGRES_USER", "POSTGRESQL_USERNAME", "POSTGRESQL_USER") ?? "postgres",
    database: first("PGDATABASE", "POSTGRES_DB", "POSTGRESQL_DATABASE"),
    password: first("PGPASSWORD", "POSTGRES_PASSWORD", "POSTGRESQL_PASSWORD"),
  };
}
