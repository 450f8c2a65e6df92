import {
  ApiError,
  type Cluster,
  isTransient,
  type KubernetesObject,
  refOf,
} from "../kubernetes/index.ts";
import { merged, patchBetween } from "./merge.ts";
import { cannotTryOut, type Refusal, refusalOf } from "./refusal.ts";

/** An object to be tried out against the API server. */
export interface Candidate {
  readonly desired: KubernetesObject;
  /** Undefined when it is new. */
  readonly live: KubernetesObject | undefined;
  /** What was asked for the last time. */
  readonly previous: KubernetesObject | undefined;
}

/** How Helm will write it. */
export interface Manner {
  /** By server-side apply, as Helm 4 does, or by a patch that the client works out. */
  readonly serverSide: boolean;
  /** The name under which Helm owns fields: that of its program. */
  readonly manager: string;
  readonly force: boolean;
}

export type Trial =
  /** As the API server would store it. */
  | { readonly came: "accepted"; readonly object: KubernetesObject }
  | { readonly came: "refused"; readonly refusal: Refusal }
  | { readonly came: "not-checked"; readonly why: string };

/**
 * Has the API server check an object as Helm will write it, admission included, and keep nothing.
 *
 * @throws {UserError} when the API server cannot be asked.
 */
export async function tryOut(
  cluster: Cluster,
  { desired, live, previous }: Candidate,
  { serverSide, manager, force }: Manner,
): Promise<Trial> {
  const options = { dryRun: true, fieldManager: manager };
  try {
    if (live === undefined) {
      return accepted(await cluster.create(desired, options));
    }
    if (serverSide) return accepted(await cluster.apply(desired, { ...options, force }));
    const strategic = isBuiltIn(desired.apiVersion);
    const after = merged({ live, previous, desired }, strategic) as typeof live;
    const patch = patchBetween({ ...live }, { ...after });
    return accepted(await cluster.patch(refOf(live), patch, "merge", options));
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    if (cannotTryOut(error)) return { came: "not-checked", why: "a webhook takes no dry run" };
    // The dry run needs the very rights that Helm will need; those are told of all at once.
    if (error.status === 401 || isTransient(error)) throw error;
    return { came: "refused", refusal: refusalOf(desired, error) };
  }
}

function accepted(object: KubernetesObject): Trial {
  return { came: "accepted", object };
}

/** Groups of Kubernetes itself, whose lists a strategic merge patch knows how to merge. */
const BUILT_IN =
  /^(v\d|(apps|autoscaling|batch|policy)\/|(networking|rbac\.authorization|storage|scheduling|coordination|discovery|admissionregistration|certificates|node|apiregistration)\.k8s\.io\/)/;

function isBuiltIn(apiVersion: string): boolean {
  return BUILT_IN.test(apiVersion);
}
