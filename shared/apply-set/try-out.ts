import { isDeepStrictEqual } from "node:util";
import { ApiError, type Cluster, type KubernetesObject } from "../kubernetes/index.ts";
import { leaveReplicas } from "./autoscaled.ts";
import { isPredecessor, managedFieldsOf, takenOver } from "./field-owners.ts";
import { withoutField } from "./field-path.ts";
import { PART_OF } from "./parent.ts";
import { type Refusal, refusalOf } from "./refusal.ts";
import type { DeploySettings } from "./settings.ts";

/** What applying needs to know beside the object. */
export interface ApplyContext {
  readonly cluster: Cluster;
  /** The label by which members are known. */
  readonly setId: string;
  readonly autoscaled: ReadonlySet<string>;
  readonly settings: DeploySettings;
}

/** What came of applying an object without keeping it. */
export interface Tried {
  /** The object without the fields that its kind does not have. */
  readonly object: KubernetesObject;
  readonly leftOut: readonly string[];
  /** What the API server would store. */
  readonly expected?: KubernetesObject | undefined;
  readonly refusal?: Refusal | undefined;
  /** Whether others' fields have to be taken over. */
  readonly force: boolean;
  readonly warnings: readonly string[];
}

/** As many unknown fields as may be left out of one object, one answer at a time. */
const MOST_LEFT_OUT = 20;

/** The object as it is sent: a member of the set, its replicas left to its autoscaler. */
export function asSent(
  object: KubernetesObject,
  live: KubernetesObject | undefined,
  { setId, autoscaled, settings }: ApplyContext,
): KubernetesObject {
  const labels = { ...object.metadata.labels, [PART_OF]: setId };
  const member = { ...object, metadata: { ...object.metadata, labels } };
  return leaveReplicas(member, live, autoscaled, settings.fieldManager);
}

/** Has the API server check an object, admission included, and keep nothing. */
export async function tryOut(
  object: KubernetesObject,
  live: KubernetesObject | undefined,
  context: ApplyContext,
): Promise<Tried> {
  const { cluster, settings } = context;
  const { fieldManager } = settings;
  let tried = object;
  let force = false;
  const leftOut: string[] = [];
  const warnings = new Set<string>();
  for (;;) {
    try {
      const expected = await cluster.apply(asSent(tried, live, context), {
        fieldManager,
        force,
        dryRun: true,
        fieldValidation: "Strict",
        onWarning: (words) => warnings.add(words),
      });
      return { object: tried, leftOut, expected, force, warnings: [...warnings] };
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      const refusal = refusalOf(error);
      const unknown = unknownIn(refusal, settings).slice(0, MOST_LEFT_OUT - leftOut.length);
      if (!force && isOurs(refusal, object.kind, context)) force = true;
      else if (unknown.length > 0) {
        tried = unknown.reduce(withoutField, tried);
        leftOut.push(...unknown);
      } else return { object: tried, leftOut, refusal, force, warnings: [...warnings] };
    }
  }
}

/** Whether the owners of the fields are those that we take over from, or the user says so. */
function isOurs(refusal: Refusal, kind: string, { settings }: ApplyContext): boolean {
  if (refusal.kind !== "conflict") return false;
  const { fieldManager, forceConflicts } = settings;
  const isKnown = ({ manager }: { readonly manager: string }) =>
    isPredecessor(manager, fieldManager, kind);
  return forceConflicts || refusal.conflicts.every(isKnown);
}

function unknownIn(
  refusal: Refusal,
  { unknownFields }: Pick<DeploySettings, "unknownFields">,
): readonly string[] {
  if (refusal.kind !== "schema" || unknownFields !== "leave-out") return [];
  if (!refusal.faults.every(({ unknown }) => unknown)) return [];
  return refusal.faults.map(({ path }) => path);
}

/** Whether what is there is what would be stored, and belongs to us as far as it would. */
export function isSame(
  live: KubernetesObject,
  expected: KubernetesObject,
  fieldManager: string,
): boolean {
  const owned = (object: KubernetesObject) =>
    managedFieldsOf(object).find(
      ({ manager, operation }) => manager === fieldManager && operation === "Apply",
    )?.fieldsV1;
  return (
    takenOver(live, fieldManager) === undefined &&
    isDeepStrictEqual(substance(live), substance(expected)) &&
    isDeepStrictEqual(owned(live), owned(expected))
  );
}

/** An object without what the API server keeps about it. */
function substance(object: KubernetesObject): unknown {
  const { status: _, metadata, ...rest } = object as KubernetesObject & { status?: unknown };
  const { managedFields, resourceVersion, generation, ...own } = metadata as typeof metadata & {
    managedFields?: unknown;
  };
  return { ...rest, metadata: own };
}
