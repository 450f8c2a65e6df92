import { UserError } from "../failure/index.ts";
import {
  awaitedTargets,
  type Cluster,
  type Deed,
  inLanes,
  type KubernetesObject,
} from "../kubernetes/index.ts";
import type { Plan } from "./plan.ts";
import type { ApplySetRef } from "./set.ts";
import type { DeploySettings } from "./settings.ts";

/**
 * Asks whether everything is allowed that the dry run did not show: deleting, waiting, and keeping
 * the record of revisions.
 *
 * @throws {UserError} naming each missing right with verb, resource and namespace.
 */
export async function checkAccess(
  cluster: Cluster,
  set: ApplySetRef,
  plan: Plan,
  settings: DeploySettings,
): Promise<void> {
  const deeds = distinctDeeds([...recordDeeds(set), ...planDeeds(plan, set, settings)]);
  const answers = await inLanes(deeds, async (deed) => ({ deed, ...(await cluster.may(deed)) }));
  const denied = answers.filter(({ allowed }) => !allowed).map(({ deed }) => deed);
  if (denied.length > 0) throw missingRights(denied);
}

function recordDeeds({ namespace }: ApplySetRef): readonly Deed[] {
  const secrets = { apiVersion: "v1", kind: "Secret", namespace };
  return ["list", "create", "patch", "delete"].map((verb) => ({ ...secrets, verb }));
}

function planDeeds(
  { objects, gone }: Plan,
  { namespace }: ApplySetRef,
  { onFailure }: DeploySettings,
): readonly Deed[] {
  const served = objects.filter(({ note }) => note !== "its kind comes with this set");
  const removed = served
    .filter(({ deed }) => onFailure === "rollback" && (deed === "create" || deed === "recreate"))
    .map(({ object }) => object);
  const unchecked = served.filter(({ deed }) => deed === "unchecked").map(({ object }) => object);
  const awaited = awaitedTargets(
    served.map(({ object }) => object),
    namespace,
  ).filter(({ namespace: place }) => place !== undefined);
  return [
    ...[...removed, ...gone].map((object) => deedOn("delete", object)),
    ...unchecked.flatMap((object) => ["create", "patch"].map((verb) => deedOn(verb, object))),
    ...awaited.flatMap(({ apiVersion, kind, namespace: place }) =>
      ["list", "watch"].map((verb) => ({ verb, apiVersion, kind, namespace: place })),
    ),
  ];
}

function deedOn(verb: string, { apiVersion, kind, metadata }: KubernetesObject): Deed {
  return { verb, apiVersion, kind, namespace: metadata.namespace };
}

function distinctDeeds(deeds: readonly Deed[]): readonly Deed[] {
  const name = ({ verb, apiVersion, kind, namespace }: Deed) =>
    [verb, apiVersion, kind, namespace].join(" ");
  return [...new Map(deeds.map((deed) => [name(deed), deed])).values()];
}

function missingRights(denied: readonly Deed[]): UserError {
  const lines = denied.map(
    ({ verb, kind, apiVersion, namespace }) =>
      `${verb} ${kind} (${apiVersion}) ${namespace === undefined ? "in the whole cluster" : `in namespace ${namespace}`}`,
  );
  return new UserError({
    title: denied.length === 1 ? "A right is missing" : `${denied.length} rights are missing`,
    cause: `These credentials may not:\n${lines.join("\n")}`,
    remedy:
      "Give the account a Role with these verbs on these resources; the action's README lists all that it needs. Nothing was changed.",
  });
}
