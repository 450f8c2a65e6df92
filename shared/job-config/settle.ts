import { UserError } from "../failure/index.ts";
import type { Cluster } from "../kubernetes/index.ts";
import { checksumOf, newSalt, SALT, sameContent } from "./checksum.ts";
import { type ConfigObject, titleOf } from "./job-config.ts";
import { type ConfigManifest, contentOf, manifestOf } from "./object.ts";
import { certificateNote } from "./secret-types.ts";

/** Whether a field manager's fields are given up when they are declared no more. */
export type IsOurs = (manager: string) => boolean;

const ownManager: IsOurs = (manager) => manager === "seaworthy";

/** kubectl's own record of what was applied, which holds the values in clear. */
const LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration";

/** A ConfigMap or Secret held against the live one. */
export interface SettledConfig {
  /** `secret/db-secrets` */
  readonly title: string;
  readonly manifest: ConfigManifest;
  readonly checksum: string;
  readonly change: "created" | "changed" | "unchanged";
  /** What a reader should know: what others keep in it, what is left of kubectl's records. */
  readonly notes: readonly string[];
}

/**
 * Holds the job's ConfigMaps and Secrets against those in the cluster: what is new, what changes,
 * and whether it can. Changes nothing.
 *
 * @throws {UserError} where an immutable one, or the type of a Secret, would have to change.
 * @throws {ApiError} when they may not be read.
 */
export async function settleJobConfig(
  config: readonly ConfigObject[],
  cluster: Cluster,
  namespace: string,
  isOurs: IsOurs = ownManager,
): Promise<readonly SettledConfig[]> {
  const settled = await Promise.all(
    config.map(async (object) => {
      const ref = { apiVersion: "v1", kind: object.kind, namespace, name: object.name };
      return settle(object, await cluster.find<ConfigManifest>(ref), namespace, isOurs);
    }),
  );
  const problems = settled.flatMap((result) => (typeof result === "string" ? [result] : []));
  if (problems.length > 0) throw fixed(problems);
  return settled.filter((result) => typeof result !== "string");
}

/** One object and its live counterpart; a sentence where it cannot be changed. */
export function settle(
  config: ConfigObject,
  live: ConfigManifest | undefined,
  namespace: string,
  isOurs: IsOurs = ownManager,
  now = Date.now(),
): SettledConfig | string {
  const title = titleOf(config);
  const before = live === undefined ? undefined : contentOf(live);
  const ungiven = [...(before?.keys() ?? [])].filter((key) => !config.content.has(key));
  // A key that was ours alone goes away with the declaration of it; what others keep there stays.
  const others = ungiven.filter((key) => !settersOf(live, key).every(isOurs));
  const goes = others.length < ungiven.length;
  const changed = before === undefined || goes || differs(config.content, before);
  const problem = live === undefined ? undefined : fixedProblem(config, live, changed);
  if (problem !== undefined) return `${title}: ${problem}`;
  const salt =
    config.kind === "Secret" ? (live?.metadata.annotations?.[SALT] ?? newSalt()) : undefined;
  return {
    title,
    manifest: manifestOf(config, namespace, salt === undefined ? {} : { [SALT]: salt }),
    checksum: checksumOf(config.kind, config.content, salt),
    change: live === undefined ? "created" : changed ? "changed" : "unchanged",
    notes: [
      ...certificateNote(config, now).map((note) => `${title}: ${note}`),
      ...(others.length === 0
        ? []
        : [`${title} also holds ${others.join(", ")}, which the job does not give`]),
      ...(config.kind === "Secret" && live?.metadata.annotations?.[LAST_APPLIED] !== undefined
        ? [
            `${title} has kubectl's annotation with former values in clear: remove it by \`kubectl annotate ${title} -n ${namespace} ${LAST_APPLIED}-\``,
          ]
        : []),
    ],
  };
}

/** Who set a key, as the API server keeps it: `f:` before the names of fields. */
function settersOf(live: ConfigManifest | undefined, key: string): readonly string[] {
  const { managedFields = [] } = (live?.metadata ?? {}) as {
    readonly managedFields?: readonly {
      readonly manager?: string;
      readonly fieldsV1?: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
    }[];
  };
  const setters = managedFields.filter(({ fieldsV1 }) =>
    ["f:data", "f:binaryData"].some((field) => `f:${key}` in (fieldsV1?.[field] ?? {})),
  );
  // Of what nobody is known to have set, nothing is known to go.
  return setters.length === 0 ? [""] : setters.map(({ manager = "" }) => manager);
}

function differs(wanted: ReadonlyMap<string, Buffer>, live: ReadonlyMap<string, Buffer>): boolean {
  const kept = new Map([...live].filter(([key]) => wanted.has(key)));
  return !sameContent(wanted, kept);
}

function fixedProblem(
  { kind, type, immutable }: ConfigObject,
  live: ConfigManifest,
  changed: boolean,
): string | undefined {
  const advice = "give it a new name and use that in the pods, or delete it first";
  if (live.immutable === true && changed) return `it is immutable in the cluster; ${advice}`;
  if (live.immutable === true && !immutable) return undefined;
  const liveType = live.type ?? "Opaque";
  if (kind === "Secret" && liveType !== type) {
    return `it is of type ${liveType} in the cluster, and a type cannot change to ${type}; ${advice}`;
  }
  return undefined;
}

function fixed(problems: readonly string[]): UserError {
  return new UserError({
    title: "What exists cannot be changed to this",
    cause: problems.map((text) => `${text}.`).join("\n"),
    remedy: "Nothing was changed.",
  });
}
