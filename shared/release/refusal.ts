import { UserError } from "../failure/index.ts";
import { ApiError, type KubernetesObject, nameOf } from "../kubernetes/index.ts";

/** What stands in the way of an object of the chart, seen before anything was touched. */
export interface Refusal {
  readonly object: KubernetesObject;
  readonly sort: "conflict" | "immutable" | "foreign" | "namespace" | "other";
  /** The API server's words, or ours, without the object's name. */
  readonly words: string;
  readonly remedy: string;
}

/**
 * How API servers say that a field can be set once only: `field is immutable`, the words for
 * StatefulSets, for a RoleBinding's role, for claims, and for addresses of Services.
 */
const IMMUTABLE =
  /field is immutable|immutable after creation|updates to statefulset spec for fields other than|cannot change roleRef|may not change once set|updates to .* are forbidden|pod updates may not change fields other than/i;

const LONGEST = 400;
const MOST_TOLD = 12;

/** Reads why the API server would not take an object. */
export function refusalOf(object: KubernetesObject, error: ApiError): Refusal {
  const conflicts = error.causes.filter(({ reason }) => reason === "FieldManagerConflict");
  if (conflicts.length > 0) return conflict(object, conflicts);
  if (error.status === 404 && /^namespaces "/.test(error.apiMessage)) {
    const remedy = "Create the namespace, or correct `metadata.namespace` in the chart.";
    return { object, sort: "namespace", words: error.apiMessage, remedy };
  }
  if (error.status === 422 && IMMUTABLE.test(error.apiMessage)) {
    return { object, sort: "immutable", words: brief(error.apiMessage), remedy: anew(object) };
  }
  const remedy = "Change the chart or the values so that the API server takes it.";
  return { object, sort: "other", words: brief(error.apiMessage), remedy };
}

function conflict(object: KubernetesObject, causes: ApiError["causes"]): Refusal {
  const managers = new Map<string, string[]>();
  for (const { message = "", field = "" } of causes) {
    const manager = /conflict with "([^"]*)"/.exec(message)?.[1] ?? message;
    managers.set(manager, [...(managers.get(manager) ?? []), field]);
  }
  const words = [...managers].map(
    ([manager, fields]) => `the manager ${JSON.stringify(manager)} owns ${fields.join(", ")}`,
  );
  const remedy =
    "Take these fields out of the chart, or out of the other manager; or have them taken over by `force-conflicts: true`.";
  return { object, sort: "conflict", words: words.join("; "), remedy };
}

function anew({ kind }: KubernetesObject): string {
  if (kind === "Job") {
    return "A Job's template is fixed: give the Job a name that changes with its image, or make it a hook.";
  }
  if (kind === "StatefulSet") {
    return "Delete the StatefulSet with `kubectl delete --cascade=orphan` and run again: its pods and volumes stay and are adopted.";
  }
  return `Undo the change, give the ${kind} another name, or delete it first.`;
}

/** Of a whole pod template, as the API server prints it, only the ends say anything. */
function brief(words: string): string {
  const line = words.replace(/\s+/g, " ").trim().replace(/\.$/, "");
  if (line.length <= LONGEST) return line;
  return `${line.slice(0, LONGEST / 2)} … ${line.slice(-LONGEST / 2)}`;
}

/** One failure for all that stands in the way. */
export function refusedError(refusals: readonly Refusal[]): UserError {
  const told = refusals
    .slice(0, MOST_TOLD)
    .map(
      ({ object, words }) =>
        `${nameOf({ kind: object.kind, name: object.metadata.name })}: ${words}`,
    );
  const rest = refusals.length - told.length;
  const [first] = refusals;
  const sorts = new Set(refusals.map(({ sort }) => sort));
  const remedies = [...new Set(refusals.map(({ remedy }) => remedy))];
  return new UserError({
    title: sorts.size === 1 && first !== undefined ? TITLES[first.sort] : TITLES.other,
    cause: [...told, ...(rest > 0 ? [`And ${rest} more`] : [])].join(".\n").concat("."),
    remedy: `${remedies.join(" ")} Nothing was changed.`,
  });
}

const TITLES: Readonly<Record<Refusal["sort"], string>> = {
  conflict: "Another manager owns fields of the chart",
  immutable: "The chart changes a field that cannot be changed",
  foreign: "An object of the chart exists already, and is not this release's",
  namespace: "A namespace of the chart does not exist",
  other: "The API server does not take the chart",
};

/** Whether an object cannot be tried out, because an admission webhook has side effects. */
export function cannotTryOut(error: unknown): boolean {
  return (
    error instanceof ApiError &&
    /does not support dry run|dry run.*not supported/i.test(error.apiMessage)
  );
}
