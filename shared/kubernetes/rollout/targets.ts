import { nearestName, UserError } from "../../failure/index.ts";
import { ApiError, Unreachable } from "../api-error.ts";
import type { Cluster } from "../cluster.ts";
import type { ServedResource } from "../discovery.ts";
import type { ObjectRef } from "../object.ts";
import { builtIn, groupOf } from "../resource.ts";
import { KNOWN_KINDS } from "./kinds.ts";
import type { Target } from "./target.ts";

/** Kind, version and group of a custom resource, as kubectl takes them: `Widget.v1.example.com`. */
const QUALIFIED = /^(?<kind>[A-Z][A-Za-z0-9]*)\.(?<version>v\d\w*)\.(?<group>[a-z0-9.-]+)$/;
/** RFC 1123, section 2.1; objects of a few kinds, RBAC among them, have colons in their names. */
const NAME = /^[a-z0-9]([a-z0-9.:-]*[a-z0-9])?$/;
const NAMESPACE = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/;

interface Written {
  readonly namespace: string | undefined;
  readonly kind: string;
  readonly name: string;
}

type Kind = Pick<ObjectRef, "apiVersion" | "kind">;

/**
 * Reads `deployment/web`, `sts/db` or `Widget.v1.example.com/blue`, also with a namespace before:
 * `shop/deployment/web`. Knows the common kinds only; `resolveTargets` asks the cluster for others.
 *
 * @throws {UserError} when it has another form or names no known kind.
 */
export function parseTarget(text: string, namespace?: string): ObjectRef {
  const written = split(text);
  const known = knownKind(written.kind);
  if (known === undefined) throw noSuchKind(written.kind, namesOfKnown(), "");
  return refOfWritten(written, known, isClusterScoped(known), namespace);
}

/**
 * Reads what people wait for, each text as kubectl takes it: `deployment/web`, `deploy/web`,
 * `deployments.apps/web`, `widget.example.com/blue`, and with a namespace `shop/deployment/web`.
 * The cluster is asked only for kinds that are not common.
 *
 * @param namespace of those that name none.
 * @throws {UserError} when one has another form, or the cluster serves no such kind.
 */
export async function resolveTargets(
  cluster: Cluster,
  texts: readonly string[],
  namespace: string,
): Promise<readonly Target[]> {
  return Promise.all(
    texts.map(async (text) => {
      const written = split(text);
      const { kind, clusterScoped } = await resolveKind(cluster, written.kind);
      return refOfWritten(written, kind, clusterScoped, namespace);
    }),
  );
}

/**
 * Finds the kind that a text names: `deployment`, `deploy`, `widgets.example.com`.
 *
 * @throws {UserError} when the cluster serves no such kind, with the nearest that it does serve.
 */
export async function resolveKind(
  cluster: Cluster,
  text: string,
): Promise<{ readonly kind: Kind; readonly clusterScoped: boolean }> {
  const known = knownKind(text);
  if (known !== undefined) {
    return { kind: known, clusterScoped: await isScopeless(cluster, known) };
  }
  const { resources, unavailable } = await cluster.resources();
  const found = resources.filter((resource) => isNamed(resource, text));
  const best = found.find(({ preferred }) => preferred) ?? found[0];
  if (best !== undefined) return { kind: best, clusterScoped: !best.namespaced };
  const silent =
    unavailable.length === 0 ? "" : ` (nothing is known of ${unavailable.join(", ")} now)`;
  const served = resources.map(({ kind }) => kind.toLowerCase());
  throw noSuchKind(text, [...new Set([...namesOfKnown(), ...served])], silent);
}

/** Takes the namespace away from targets of kinds that belong to none, as the cluster tells. */
export async function scoped(
  cluster: Cluster,
  targets: readonly Target[],
): Promise<readonly Target[]> {
  return Promise.all(
    targets.map(async (target) =>
      target.namespace !== undefined && (await isScopeless(cluster, target))
        ? { ...target, namespace: undefined }
        : target,
    ),
  );
}

function split(text: string): Written {
  const parts = text.split("/");
  const [namespace, kind = "", name = ""] = parts.length === 3 ? parts : [undefined, ...parts];
  const formed = parts.length <= 3 && kind !== "" && NAME.test(name);
  if (formed && (namespace === undefined || NAMESPACE.test(namespace))) {
    return { namespace, kind, name };
  }
  throw new UserError({
    title: "No such form of resource",
    cause: `${JSON.stringify(text)} is not of the form kind/name, nor namespace/kind/name.`,
    remedy: "Write it as kubectl does: deployment/web, statefulset/db, job/migrate.",
  });
}

function refOfWritten(
  { namespace, name }: Written,
  { apiVersion, kind }: Kind,
  clusterScoped: boolean,
  fallback: string | undefined,
): ObjectRef {
  const where = clusterScoped ? undefined : (namespace ?? fallback);
  return { apiVersion, kind, namespace: where, name };
}

/** A kind that can be told without asking: a common one, or one that is written in full. */
function knownKind(text: string): Kind | undefined {
  const qualified = QUALIFIED.exec(text)?.groups;
  if (qualified?.kind !== undefined) {
    return { apiVersion: `${qualified.group}/${qualified.version}`, kind: qualified.kind };
  }
  const [name = "", ...group] = text.toLowerCase().split(".");
  const found = KNOWN_KINDS.find(
    ({ kind, plural, shortNames }) =>
      kind.toLowerCase() === name || plural === name || shortNames.includes(name),
  );
  if (found === undefined) return undefined;
  return group.length === 0 || group.join(".") === groupOf(found.apiVersion) ? found : undefined;
}

/** `widget`, `widgets`, `wd`, `widgets.example.com`, `widgets.v1.example.com` */
function isNamed(resource: ServedResource, text: string): boolean {
  const { group, kind, plural, shortNames, singular, version } = resource;
  const lower = text.toLowerCase();
  const names = [kind.toLowerCase(), plural, singular, ...shortNames];
  return names.some((name) =>
    [name, `${name}.${group}`, `${name}.${version}.${group}`].includes(lower),
  );
}

function isClusterScoped(kind: Kind): boolean {
  return KNOWN_KINDS.some(
    (known) =>
      known.clusterScoped === true &&
      known.kind === kind.kind &&
      known.apiVersion === kind.apiVersion,
  );
}

/** Whether objects of a kind belong to no namespace; of one that is not served, nobody knows. */
async function isScopeless(cluster: Cluster, kind: Kind): Promise<boolean> {
  const common = KNOWN_KINDS.some((known) => known.apiVersion === kind.apiVersion);
  if (common) return isClusterScoped(kind);
  const known = builtIn(kind.apiVersion, kind.kind);
  if (known !== undefined) return !known.namespaced;
  try {
    return !(await cluster.resource(kind)).namespaced;
  } catch (error) {
    const unknown = error instanceof UserError;
    if (!unknown || error instanceof ApiError || error instanceof Unreachable) throw error;
    return false;
  }
}

function namesOfKnown(): string[] {
  return KNOWN_KINDS.map(({ kind }) => kind.toLowerCase());
}

function noSuchKind(text: string, names: readonly string[], more: string): UserError {
  const near = nearestName(text.toLowerCase().split(".")[0] ?? "", names);
  return new UserError({
    title: `No such kind: ${text}`,
    cause: `${JSON.stringify(text)} is no kind that is known here${near === undefined ? "" : `; did you mean ${near}?`}${more}`,
    remedy: `Common kinds are ${namesOfKnown().join(", ")}; any other is written as kubectl takes it, widget.example.com/name, and needs its definition installed first.`,
  });
}
