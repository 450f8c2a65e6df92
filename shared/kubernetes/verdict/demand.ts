import { FormatError } from "../../failure/index.ts";
import { type JsonQuery, parseJsonQuery, selectAll } from "../../json/index.ts";
import type { KubernetesObject } from "../object.ts";
import type { AnyObject } from "../workload.ts";
import { conditionWords, isOutdated } from "./conditions.ts";
import { type Assessment, READY, underway } from "./verdict.ts";

/** What a user demands of an object, as the flag --for of `kubectl wait` says it. */
export type Demand = ConditionDemand | PathDemand | AllDemands;

/** Several demands on one object, each of which must hold. */
interface AllDemands {
  readonly kind: "all";
  readonly text: string;
  readonly demands: readonly Demand[];
}

interface ConditionDemand {
  readonly kind: "condition";
  /** As the user wrote it. */
  readonly text: string;
  readonly type: string;
  /** `True` where none is given. */
  readonly status: string;
}

interface PathDemand {
  readonly kind: "jsonpath";
  /** As the user wrote it. */
  readonly text: string;
  /** The path as the user wrote it. */
  readonly path: string;
  readonly query: JsonQuery;
  /** Any value will do where none is given. */
  readonly value: string | undefined;
}

/**
 * Reads `condition=Ready`, `condition=Ready=False`, `jsonpath={.status.phase}=Running`,
 * `jsonpath={.status.address}`, and `{.status.phase}=Running` alone.
 *
 * @throws {FormatError} when it has another form.
 */
export function parseDemand(text: string): Demand {
  const trimmed = text.trim();
  const condition = CONDITION.exec(trimmed)?.groups;
  if (condition?.type !== undefined) {
    return {
      kind: "condition",
      text: trimmed,
      type: condition.type,
      status: condition.status ?? "True",
    };
  }
  const parts = PATH.exec(trimmed)?.groups;
  // Without its prefix, only braces show that a path is meant.
  if (parts?.path === undefined || (parts.bare !== undefined && parts.prefix === undefined)) {
    throw new FormatError(
      `${JSON.stringify(trimmed)} is neither jsonpath={.path}=value nor condition=Type`,
    );
  }
  const query = parseJsonQuery(unquoted(parts.path));
  const value = parts.value === undefined ? undefined : unquoted(parts.value);
  if (value === "") throw new FormatError("there is no value after the = (leave it out for any)");
  return { kind: "jsonpath", text: trimmed, path: unquoted(parts.path), query, value };
}

/** A status must not hold what begins another part. */
const CONDITION = /^condition=(?<type>[A-Za-z][\w./-]*)(?:=(?<status>[A-Za-z]+))?$/;
/** In braces, as the flag takes it, also in the quotes that a shell would need; else to the `=`. */
const PATH =
  /^(?<prefix>jsonpath=)?(?<path>\{.*?\}|'\{.*?\}'|"\{.*?\}"|(?<bare>[^{}'"=[]+(?:\[[^\]]*\][^=[]*)*))(?:=(?<value>.*))?$/s;

function unquoted(text: string): string {
  return /^(?:'.*'|".*")$/s.test(text) ? text.slice(1, -1) : text;
}

/** The demands as one, each once; undefined where there are none. */
export function allOf(demands: readonly Demand[]): Demand | undefined {
  const single = demands.flatMap((one) => (one.kind === "all" ? one.demands : [one]));
  const different = [...new Map(single.map((one) => [one.text, one])).values()];
  const [first, ...rest] = different;
  if (rest.length === 0) return first;
  return {
    kind: "all",
    text: different.map(({ text }) => text).join(", "),
    demands: different,
  };
}

/**
 * Whether an object is as its user demands. While it is not, the problems that its kind shows count
 * all the same: a demand does not make a broken object whole.
 *
 * @param byKind the verdict on its kind.
 */
export function assessDemand(
  object: KubernetesObject,
  demand: Demand,
  byKind: Assessment,
): Assessment {
  const missing = missingOf(object, demand);
  if (missing.length === 0) return READY;
  return underway(missing, {
    notes: byKind.notes,
    problems: byKind.problems,
    lookAgainAt: byKind.lookAgainAt,
  });
}

function missingOf(object: KubernetesObject, demand: Demand): readonly string[] {
  if (demand.kind === "all") return demand.demands.flatMap((one) => missingOf(object, one));
  const missing =
    demand.kind === "condition" ? missingCondition(object, demand) : missingValue(object, demand);
  return missing === undefined ? [] : [missing];
}

/** kubectl compares types and statuses whatever their case, and so is done here. */
function missingCondition(
  object: AnyObject,
  { type, status }: ConditionDemand,
): string | undefined {
  const wanted = type.toLowerCase();
  const found = object.status?.conditions?.find((one) => one.type.toLowerCase() === wanted);
  if (found === undefined) return `it has no condition ${type} yet`;
  if (isBehind(object) || isOutdated(found, object.metadata.generation)) {
    return `its condition ${type} speaks of an older generation`;
  }
  return String(found.status).toLowerCase() === status.toLowerCase()
    ? undefined
    : `${conditionWords(found)}, and ${status} is demanded`;
}

function missingValue(object: AnyObject, { path, query, value }: PathDemand): string | undefined {
  const found = selectAll(query, object);
  if (found.length === 0) return `it has no value at ${path}`;
  if (isBehind(object)) return "its controller has not seen the change yet";
  if (value === undefined) return undefined;
  const other = found.find((one) => textOf(one) !== value);
  return other === undefined ? undefined : `${path} is ${shown(other)}, and ${value} is demanded`;
}

function isBehind({ metadata, status }: AnyObject): boolean {
  return isOutdated(status ?? {}, metadata.generation);
}

/** As kubectl prints a value. */
function textOf(value: unknown): string {
  return typeof value === "object" && value !== null ? JSON.stringify(value) : String(value);
}

const LONGEST_VALUE = 80;

function shown(value: unknown): string {
  const text = typeof value === "string" ? JSON.stringify(value) : textOf(value);
  return text.length > LONGEST_VALUE ? `${text.slice(0, LONGEST_VALUE)}...` : text;
}
