import { FormatError, UserError } from "../../shared/failure/index.ts";
import {
  allOf,
  type Cluster,
  type Demand,
  groupOf,
  parseDemand,
  resolveKind,
  resolveTargets,
  type Target,
} from "../../shared/kubernetes/index.ts";

/** A condition of the user's: of one object, or of all that are waited for of one kind. */
export interface UserCondition {
  /** The line as it was written. */
  readonly line: string;
  readonly demand: Demand;
  readonly kind: Pick<Target, "apiVersion" | "kind">;
  /** The object that it names; it is waited for also where nothing else names it. */
  readonly target?: Target | undefined;
}

/**
 * Reads lines of the form `resource: what`, where `what` is as `kubectl wait --for` takes it:
 * `widget.example.com/blue: jsonpath={.status.phase}=Running`, `certificate/web: condition=Ready`.
 * A kind without a name stands for all objects of the kind that are waited for.
 *
 * @throws {UserError} when a line has another form, or names no kind that the cluster serves.
 */
export async function readConditions(
  text: string | undefined,
  cluster: Cluster,
  namespace: string,
): Promise<readonly UserCondition[]> {
  return Promise.all(
    readLines(text).map(async ({ line, resource, demand }) => {
      if (!resource.includes("/")) {
        return { line, demand, kind: (await resolveKind(cluster, resource)).kind };
      }
      const [target] = await resolveTargets(cluster, [resource], namespace);
      if (target === undefined) throw new Error(`nothing came of ${resource}`);
      return { line, demand, kind: target, target: { ...target, demand } };
    }),
  );
}

/**
 * Adds the conditions of whole kinds to the targets of those kinds that have none of their own.
 *
 * @throws {UserError} when nothing of such a kind is waited for.
 */
export function withConditions(
  targets: readonly Target[],
  conditions: readonly UserCondition[],
): readonly Target[] {
  const ofKinds = conditions.filter(({ target }) => target === undefined);
  for (const condition of ofKinds) {
    if (!targets.some((target) => isOf(target, condition))) throw ofNothing(condition);
  }
  return targets.map((target) => {
    const own = ofKinds.filter((condition) => isOf(target, condition));
    return { ...target, demand: target.demand ?? allOf(own.map(({ demand }) => demand)) };
  });
}

interface Line extends Pick<UserCondition, "line" | "demand"> {
  readonly resource: string;
}

/** @throws {UserError} when a line has another form. */
export function readLines(text: string | undefined): readonly Line[] {
  const lines = (text ?? "").split(/\r\n|\r|\n/).map((line) => line.trim());
  return lines.filter((line) => line !== "" && !line.startsWith("#")).map(readLine);
}

function readLine(line: string): Line {
  const parts = /^(?<resource>[^\s:{]+)\s*:\s*(?<what>\S.*)$/.exec(line)?.groups;
  if (parts?.resource === undefined || parts.what === undefined) {
    throw unreadable(line, "it is not of the form resource: condition");
  }
  try {
    return { line, resource: parts.resource, demand: parseDemand(parts.what) };
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    throw unreadable(line, error.message);
  }
}

function unreadable(line: string, why: string): UserError {
  return new UserError({
    title: "A condition cannot be read",
    cause: `${JSON.stringify(line)} in the input conditions: ${why}.`,
    remedy:
      "Write it as the flag --for of kubectl wait takes it, after the resource: widget.example.com/blue: jsonpath={.status.phase}=Running, or certificate/web: condition=Ready.",
  });
}

function isOf(target: Target, { kind }: UserCondition): boolean {
  return target.kind === kind.kind && groupOf(target.apiVersion) === groupOf(kind.apiVersion);
}

function ofNothing({ line, kind }: UserCondition): UserError {
  return new UserError({
    title: "A condition of nothing",
    cause: `${JSON.stringify(line)} in the input conditions is for all that is waited for of kind ${kind.kind}, and there is none.`,
    remedy: `Name the object: ${kind.kind.toLowerCase()}/name, or let another input find it.`,
  });
}
