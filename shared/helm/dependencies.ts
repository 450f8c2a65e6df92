import { createHash } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { load } from "js-yaml";
import { UserError } from "../failure/index.ts";

type Tree = Readonly<Record<string, unknown>>;

/** A dependency as Chart.yaml or Chart.lock names it. */
interface Dependency extends Tree {
  readonly name?: unknown;
  readonly version?: unknown;
}

/**
 * Checks that a chart's dependencies are there, and are those that its lock names. A chart without
 * dependencies, or one that is packed, has nothing to check.
 *
 * @throws {UserError} naming what is missing or out of step.
 */
export async function checkDependencies(chart: string): Promise<void> {
  const required = dependenciesIn(await yamlAt(join(chart, "Chart.yaml")));
  if (required.length === 0) return;
  const lock = await yamlAt(join(chart, "Chart.lock"));
  const locked = dependenciesIn(lock);
  const build = `Run \`helm dependency build ${chart}\` in an earlier step, or set \`dependencies: build\`; nothing was changed.`;
  if (lock !== undefined && lock.digest !== digestOf(required, locked)) {
    throw new UserError({
      title: "The chart's lock is out of step",
      cause: `Chart.lock in ${chart} was made for other dependencies than Chart.yaml names now.`,
      remedy: `Run \`helm dependency update ${chart}\`, look at what it changed, and commit Chart.lock; nothing was changed.`,
    });
  }
  const present = await presentIn(join(chart, "charts"));
  const problems = required.flatMap((one, index) => {
    const exact = locked[index]?.name === one.name ? locked[index]?.version : undefined;
    return (
      problemOf(String(one.name), exact === undefined ? undefined : String(exact), present) ?? []
    );
  });
  if (problems.length === 0) return;
  throw new UserError({
    title: "The chart's dependencies are not there",
    cause: `${problems.join("; ")}.`,
    remedy: build,
  });
}

function problemOf(
  name: string,
  version: string | undefined,
  present: ReadonlyMap<string, readonly string[]>,
): string | undefined {
  const found = present.get(name) ?? [];
  if (found.length === 0)
    return `charts/ does not have ${name}${version === undefined ? "" : ` ${version}`}`;
  if (version === undefined || found.includes(version)) return undefined;
  return `charts/ has ${name} ${found.join(" and ")}, and Chart.lock says ${version}`;
}

/** The charts in a folder, packed or not, by name with their versions. */
async function presentIn(folder: string): Promise<ReadonlyMap<string, readonly string[]>> {
  const entries = await readdir(folder).catch(() => []);
  const found = new Map<string, string[]>();
  for (const entry of entries) {
    const chart = await yamlAt(join(folder, entry, "Chart.yaml"));
    const packed = /^(.+?)-(\d+\.\d+\.\d+.*)\.tgz$/.exec(entry);
    const name = chart?.name ?? packed?.[1];
    const version = chart?.version ?? packed?.[2];
    if (name === undefined) continue;
    found.set(String(name), [...(found.get(String(name)) ?? []), String(version)]);
  }
  return found;
}

/**
 * The digest that Helm writes into Chart.lock: SHA-256 of both lists as Go's encoding/json writes
 * them. Source: internal/resolver/resolver.go, HashReq.
 */
export function digestOf(required: readonly Dependency[], locked: readonly Dependency[]): string {
  const json = JSON.stringify([required.map(fieldsOf), locked.map(fieldsOf)]);
  const written = json.replace(
    /[<>&\u2028\u2029]/g,
    (sign) => `\\u${sign.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
  return `sha256:${createHash("sha256").update(written).digest("hex")}`;
}

/** In the order of Go's struct, what is empty left out where its tags say so. */
function fieldsOf(dependency: Dependency): Tree {
  const { name = "", version, repository = "", condition, tags, enabled, alias } = dependency;
  const imports = dependency["import-values"];
  const filled = (list: unknown) => Array.isArray(list) && list.length > 0;
  return {
    name,
    ...(version ? { version } : {}),
    repository,
    ...(condition ? { condition } : {}),
    ...(filled(tags) ? { tags } : {}),
    ...(enabled === true ? { enabled } : {}),
    ...(filled(imports) ? { "import-values": sorted(imports) } : {}),
    ...(alias ? { alias } : {}),
  };
}

/** Go writes the keys of maps in their order. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, inner]) => [key, sorted(inner)]),
  );
}

function dependenciesIn(file: Tree | undefined): readonly Dependency[] {
  const { dependencies } = file ?? {};
  return Array.isArray(dependencies)
    ? dependencies.filter((one) => typeof one === "object" && one !== null)
    : [];
}

async function yamlAt(file: string): Promise<Tree | undefined> {
  try {
    const value = load(await readFile(file, "utf8"), { json: true });
    return typeof value === "object" && value !== null ? (value as Tree) : undefined;
  } catch {
    // A chart that cannot be read is Helm's to explain.
    return undefined;
  }
}
