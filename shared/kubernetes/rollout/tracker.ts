import { nearestName } from "../../failure/index.ts";
import { type KubernetesObject, nameOf } from "../object.ts";
import {
  type Assessment,
  assess,
  type FirstSeen,
  judge,
  nextLook,
  type Problem,
  READY,
  type Sight,
  type Surroundings,
  sightings,
  type Verdict,
} from "../verdict/index.ts";
import type { Moment, ResourceReport } from "./report.ts";
import type { Target } from "./target.ts";

/** What is said of one object in a line; long rollouts are told by their first pods. */
const PHRASES = 3;

/** What one look at a target shows. */
export type Seen =
  | { readonly object: KubernetesObject; readonly around: Surroundings }
  | {
      readonly object: undefined;
      /** Names of others of its kind, for a hint. */
      readonly others: () => readonly string[];
      /** Why nothing of its kind can exist: the server does not know the kind. */
      readonly noSuchKind: string | undefined;
      /** Why nobody may see it, where it can be done without. */
      readonly unreadable: string | undefined;
    };

/** What is kept of the story of one object: a rollout can change its words a thousand times. */
const MOST_MOMENTS = 30;

/** Follows one object of a rollout from look to look. */
export class Tracker {
  readonly target: Target;
  /** `deployment/web`, or more where others are called the same. */
  readonly name: string;
  #seen: FirstSeen = new Map();
  #verdict: Verdict = { state: "progressing", missing: ["not looked at yet"], notes: [] };
  readonly #timeline: Moment[] = [];
  #uid: string | undefined;
  readonly #reprieves = new Map<string, number>();
  #nextLook: number | undefined;

  constructor(target: Target, name = nameOf(target)) {
    this.target = target;
    this.name = name;
  }

  get verdict(): Verdict {
    return this.#verdict;
  }

  /** When the verdict may change although nothing else does. */
  get nextLook(): number | undefined {
    return this.#nextLook;
  }

  /** Looks at the object; gives the words to tell when there is something new to tell. */
  look(seen: Seen, sight: Sight): string | undefined {
    const { object } = seen;
    const assessment = this.#reprieved(
      object === undefined
        ? this.#absent(sight, seen)
        : assess(object, seen.around, sight, this.target),
    );
    this.#uid = object?.metadata.uid ?? this.#uid;
    this.#seen = sightings(this.#seen, assessment.problems, sight.now);
    this.#nextLook = nextLook(assessment, this.#seen, sight.now);
    this.#verdict = judge(assessment, this.#seen, sight.now);
    return this.#tell(sight.now);
  }

  /** Gives a problem more grace; only the first time counts. */
  reprieve(key: string, milliseconds: number): void {
    if (!this.#reprieves.has(key)) this.#reprieves.set(key, milliseconds);
  }

  report(): ResourceReport {
    const { state, notes } = this.#verdict;
    const cause = "cause" in this.#verdict ? this.#verdict.cause : undefined;
    return {
      resource: this.name,
      namespace: this.target.namespace ?? "",
      state,
      missing: "missing" in this.#verdict ? this.#verdict.missing : [],
      notes,
      cause: cause === undefined ? undefined : { reason: cause.reason, message: cause.message },
      timeline: [...this.#timeline],
    };
  }

  /** What is missing, in one line. */
  get missing(): string {
    if (!("missing" in this.#verdict)) return "";
    const { missing } = this.#verdict;
    if (missing.length === 0 && "cause" in this.#verdict) return this.#verdict.cause.message;
    const more = missing.length - PHRASES;
    return [...missing.slice(0, PHRASES), ...(more > 0 ? [`and ${more} more`] : [])].join("; ");
  }

  #reprieved(assessment: Assessment): Assessment {
    if (this.#reprieves.size === 0) return assessment;
    const problems = assessment.problems.map((problem) => ({
      ...problem,
      grace: problem.grace + (this.#reprieves.get(problem.key) ?? 0),
    }));
    return { ...assessment, problems };
  }

  #tell(now: number): string | undefined {
    const last = this.#timeline.at(-1);
    const text = this.#words();
    const { state } = this.#verdict;
    if (last?.state === state && last.text === text) return undefined;
    this.#record({ at: new Date(now).toISOString(), state, text });
    return text;
  }

  /** Changes of the state are worth more than changes of the words. */
  #record(moment: Moment): void {
    if (this.#timeline.length >= MOST_MOMENTS) {
      const dull = this.#timeline.findLastIndex(
        ({ state }, index, all) => all[index - 1]?.state === state,
      );
      this.#timeline.splice(Math.max(1, dull), 1);
    }
    this.#timeline.push(moment);
  }

  #words(): string {
    const verdict = this.#verdict;
    if (verdict.state === "ready") return ["ready", ...verdict.notes].join("; ");
    if (verdict.state === "progressing") return this.missing;
    if (verdict.state === "failed") return `failed: ${verdict.cause.message}`;
    const grace = Number.isFinite(verdict.cause.grace)
      ? ` (it has ${Math.round(verdict.cause.grace / 1_000)} s to heal)`
      : "";
    return `in trouble: ${withoutSeconds(verdict.cause.message)}${grace}`;
  }

  #absent({ graces, now }: Sight, seen: Extract<Seen, { object: undefined }>): Assessment {
    const { namespace } = this.target;
    if (seen.unreadable !== undefined) {
      return { ...READY, notes: [`not checked, for it may not be read: ${seen.unreadable}`] };
    }
    const where = namespace === undefined ? "in the cluster" : `in namespace ${namespace}`;
    if (this.#uid !== undefined) {
      const problem: Problem = {
        key: `gone:${this.#uid}`,
        reason: "Deleted" as const,
        message: `it was deleted ${where} while it was waited for`,
        remedy: "Find out who deletes it: another deployment, or a person.",
        // Whoever replaces an object by force deletes it and makes it anew.
        grace: graces.absent,
      };
      return { ready: false, missing: ["it was deleted"], notes: [], problems: [problem] };
    }
    const problem = { key: "absent", ...this.#whyAbsent(seen, where), grace: graces.absent };
    return {
      ready: false,
      missing: ["it does not exist yet"],
      notes: [],
      problems: [problem],
      lookAgainAt: now + graces.absent,
    };
  }

  #whyAbsent(
    { noSuchKind, others }: Extract<Seen, { object: undefined }>,
    where: string,
  ): Pick<Problem, "reason" | "message" | "remedy"> {
    if (noSuchKind !== undefined) {
      return {
        reason: "NoSuchKind" as const,
        message: `the cluster does not know its kind: ${noSuchKind}`,
        remedy:
          "Check apiVersion and kind; a custom resource needs its definition installed first.",
      };
    }
    const names = others();
    const near = nearestName(this.target.name, names);
    const known = near !== undefined ? `did you mean ${near}?` : listOf(names);
    return {
      reason: "NotFound" as const,
      message: `it does not exist ${where}: it is late, or its name is wrong; ${known}`,
      remedy: "Check the name, the namespace and the cluster, and that the step before made it.",
    };
  }
}

function listOf(others: readonly string[]): string {
  if (others.length === 0) return "there is none of its kind there";
  const rest = others.length > 10 ? ", ..." : "";
  return `there are ${others.slice(0, 10).join(", ")}${rest}`;
}

/** A count of seconds that grows is no news. */
function withoutSeconds(message: string): string {
  return message.replace(
    / is not ready \d+ s after its start/,
    " is not ready long after its start",
  );
}
