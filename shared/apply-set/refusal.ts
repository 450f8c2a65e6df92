import { UserError } from "../failure/index.ts";
import { ApiError, type KubernetesObject } from "../kubernetes/index.ts";
import type { DesiredObject } from "./desired.ts";

/** What stands in the way of an object, found before anything was touched or while it was applied. */
export type Refusal =
  /** Others own fields that are to be set. */
  | { readonly kind: "conflict"; readonly conflicts: readonly Conflict[] }
  /** Fields that the kind does not have, or of another type. */
  | { readonly kind: "schema"; readonly faults: readonly SchemaFault[] }
  /** Fields that can be set once only. */
  | { readonly kind: "immutable"; readonly words: string }
  | { readonly kind: "no-namespace"; readonly namespace: string }
  | { readonly kind: "other"; readonly words: string; readonly remedy: string };

export interface Conflict {
  readonly manager: string;
  /** `.spec.replicas` */
  readonly field: string;
}

export interface SchemaFault {
  /** `.spec.template.spec.containers[name="web"].imagePullPolcy` */
  readonly path: string;
  readonly words: string;
  /** The kind has no such field: leaving it out would help. */
  readonly unknown: boolean;
}

/** Longest quote of the API server's words: for a pod's template it repeats all of it. */
const LONGEST_QUOTE = 300;

/** Reads why the API server did not take an object. */
export function refusalOf(error: ApiError): Refusal {
  const conflicts = conflictsIn(error);
  if (conflicts.length > 0) return { kind: "conflict", conflicts };
  const faults = schemaFaultsIn(error.apiMessage);
  if (faults.length > 0) return { kind: "schema", faults };
  const namespace = /^namespaces "([^"]+)" not found/.exec(error.apiMessage)?.[1];
  if (error.status === 404 && namespace !== undefined) return { kind: "no-namespace", namespace };
  if (error.status === 422 && IMMUTABLE.test(error.apiMessage)) {
    return { kind: "immutable", words: quote(error.apiMessage) };
  }
  const { cause, remedy } = error;
  return { kind: "other", words: quote(cause), remedy };
}

/**
 * How API servers say that a field can be set once only: `field is immutable`, the words for
 * StatefulSets, for a RoleBinding's role, for claims, and for addresses of Services.
 */
const IMMUTABLE =
  /field is immutable|is immutable after creation|updates to statefulset spec for fields other than|cannot change roleRef|may not change once set|updates to .* are forbidden|pod updates may not change fields other than/i;

function conflictsIn(error: ApiError): readonly Conflict[] {
  if (error.status !== 409) return [];
  return error.causes
    .filter(({ reason }) => reason === "FieldManagerConflict")
    .map(({ message = "", field = "" }) => ({
      manager: /conflict with "([^"]*)"/.exec(message)?.[1] ?? message,
      field,
    }));
}

/** What the API server says before it has even looked at an object: it does not fit its kind. */
const UNTYPED = /failed to create typed (?:patch|live) object \([^)]*\): /;
const STRICT = /strict decoding error: /;

function schemaFaultsIn(message: string): readonly SchemaFault[] {
  const untyped = UNTYPED.exec(message);
  if (untyped !== null) {
    const lines = message.slice(untyped.index + untyped[0].length).split("\n");
    return lines
      .map((line) => line.trim())
      .filter((line) => line !== "" && line !== "errors:")
      .map(schemaFault);
  }
  const strict = STRICT.exec(message);
  if (strict === null) return [];
  const list = message
    .slice(strict.index + strict[0].length)
    .split(/, (?=unknown field|duplicate)/);
  return list.map((words) => {
    const path = /unknown field "([^"]+)"/.exec(words)?.[1];
    return { path: path === undefined ? "" : `.${path}`, words, unknown: path !== undefined };
  });
}

function schemaFault(line: string): SchemaFault {
  const parts = /^(?<path>\.\S*?(?:\[[^\]]*\]\S*?)*): (?<words>.*)$/.exec(line)?.groups;
  const words = (parts?.words ?? line).replace(/&value\.valueUnstructured\{Value:(.*)\}/, "$1");
  const unknown = words === "field not declared in schema";
  return {
    path: parts?.path ?? "",
    words: unknown ? "the kind has no such field" : words,
    unknown,
  };
}

function quote(words: string): string {
  const line = words.replace(/\s+/g, " ").trim();
  // Of a whole pod template, as the API server prints it, only the end says anything.
  const [, start, end] = /^(.*?Invalid value: )[{"[].*?((?:: )[^:{}]*)$/s.exec(line) ?? [];
  const short =
    start !== undefined && end !== undefined && line.length > LONGEST_QUOTE
      ? `${start}…${end}`
      : line;
  return short.length > LONGEST_QUOTE ? `${short.slice(0, LONGEST_QUOTE)}…` : short;
}

/** The refusal without the value that it is about, where the object is a Secret. */
export function discreet(refusal: Refusal, { kind }: KubernetesObject): Refusal {
  if (kind !== "Secret" || refusal.kind !== "schema") return refusal;
  const faults = refusal.faults.map(({ path, words, unknown }) => ({
    path,
    unknown,
    words: words.replace(/, got .*$/s, ", got another type"),
  }));
  return { ...refusal, faults };
}

/** A refusal together with the object that it is about. */
export interface Refused {
  readonly object: KubernetesObject;
  readonly origin: string;
  readonly refusal: Refusal;
}

const MOST_TOLD = 12;

/** One failure for all that was refused, with what to do about each sort of it. */
export function refusedError(all: readonly Refused[], touched: boolean): UserError {
  const told = all.slice(0, MOST_TOLD).map((one) => `${nameIn(one)}: ${sentence(one.refusal)}`);
  const rest = all.length - told.length;
  const remedies = [...new Set(all.map(remedyOf))];
  return new UserError({
    title: titleOf(all),
    cause: [...told, ...(rest > 0 ? [`And ${rest} more.`] : [])].join("\n"),
    remedy: [...remedies, ...(touched ? [] : ["Nothing was changed."])].join(" "),
  });
}

function nameIn({ object: { kind, metadata }, origin }: Refused): string {
  return `${kind.toLowerCase()}/${metadata.name} (${origin})`;
}

function titleOf(all: readonly Refused[]): string {
  const kinds = new Set(all.map(({ refusal }) => refusal.kind));
  const [only] = kinds.size === 1 ? kinds : [];
  if (only === "conflict") return "Another manager owns fields";
  if (only === "schema") return "Manifests do not fit their kinds";
  if (only === "immutable") return "A field cannot be changed";
  if (only === "no-namespace") return "A namespace does not exist";
  return all.length === 1
    ? "The API server does not take an object"
    : `The API server does not take ${all.length} objects`;
}

function sentence(refusal: Refusal): string {
  switch (refusal.kind) {
    case "conflict":
      return `${byManager(refusal.conflicts)}.`;
    case "schema":
      return `${refusal.faults.map(({ path, words }) => (path === "" ? words : `${path}: ${words}`)).join("; ")}.`;
    case "immutable":
      return `${refusal.words.replace(/\.$/, "")}.`;
    case "no-namespace":
      return `the namespace ${refusal.namespace} does not exist.`;
    case "other":
      return `${refusal.words.replace(/\.$/, "")}.`;
  }
}

function byManager(conflicts: readonly Conflict[]): string {
  const managers = new Map<string, string[]>();
  for (const { manager, field } of conflicts) {
    managers.set(manager, [...(managers.get(manager) ?? []), field]);
  }
  return [...managers]
    .map(([manager, fields]) => `the manager ${JSON.stringify(manager)} owns ${fields.join(", ")}`)
    .join("; ");
}

function remedyOf({ object, refusal }: Refused): string {
  switch (refusal.kind) {
    case "conflict":
      return conflictRemedy(refusal.conflicts);
    case "schema":
      return refusal.faults.some(({ unknown }) => unknown)
        ? "Correct the misspelt or misplaced fields, or let them be left out by `field-validation: warn`."
        : "Correct the values.";
    case "immutable":
      return immutableRemedy(object);
    case "no-namespace":
      return "Create the namespace, or put a Namespace into the manifests, or set `create-namespace: true`.";
    case "other":
      return refusal.remedy;
  }
}

function conflictRemedy(conflicts: readonly Conflict[]): string {
  const scaled = conflicts.every(({ field }) => field === ".spec.replicas");
  return scaled
    ? "Leave `replicas` out of the manifest where something else scales, or take it over by `force-conflicts: true`."
    : "Leave these fields to their manager by removing them from the manifest, or take them over by `force-conflicts: true`.";
}

/** What to do about a field that can be set once only, by kind. */
function immutableRemedy({ kind }: KubernetesObject): string {
  const again = `have it made anew by \`recreate: ${kind}\``;
  switch (kind) {
    case "Job":
      return `A Job's template is fixed: give the Job a name that changes with its image, or ${again}, which runs it again.`;
    case "StatefulSet":
      return `Only replicas, template, updateStrategy and the like of a StatefulSet can change: ${again} (its pods and volumes stay and are adopted).`;
    case "Service":
      return `Leave the address out of the manifest, or ${again}; its clusterIP will be another one.`;
    case "PersistentVolumeClaim":
      return "A claim keeps what it was made with, but for its size: make a claim of another name and move the data.";
    case "ConfigMap":
    case "Secret":
      return `It is marked immutable: give it a name that changes with its content, or ${again}.`;
    case "RoleBinding":
    case "ClusterRoleBinding":
      return `A binding keeps its role: give it another name, or ${again}.`;
    default:
      return `Undo the change, give the ${kind} another name, or ${again}.`;
  }
}

/** Whether the words are those of a schema that does not know a field: no retry helps. */
export function isSchemaError(error: unknown): boolean {
  return error instanceof ApiError && UNTYPED.test(error.apiMessage);
}

export function refused({ object, origin }: DesiredObject, error: ApiError): Refused {
  return { object, origin, refusal: discreet(refusalOf(error), object) };
}
