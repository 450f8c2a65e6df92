import { nearestName, UserError } from "../failure/index.ts";
import { type Field, type InputProblem, Rejection } from "./field.ts";

/** The inputs of an action, by the names that action.yml gives them. */
export type Inputs = Readonly<Record<string, Field<unknown>>>;

type CamelCase<S extends string> = S extends `${infer Head}-${infer Tail}`
  ? `${Head}${Capitalize<CamelCase<Tail>>}`
  : S;

/** The typed options that an action's inputs parse to: `release-name` becomes `releaseName`. */
export type OptionsOf<I extends Inputs> = {
  readonly [Name in keyof I & string as CamelCase<Name>]: I[Name] extends Field<infer T>
    ? T
    : never;
};

type Environment = Readonly<Record<string, string | undefined>>;

const LONGEST_QUOTE = 120;

/**
 * Reads all inputs from the `INPUT_*` variables that the runner sets.
 *
 * @throws {UserError} naming every problem at once: the input, what it got, what is accepted.
 */
export function parseInputs<I extends Inputs>(inputs: I, environment: Environment): OptionsOf<I> {
  const problems: InputProblem[] = [...unknownInputs(inputs, environment)];
  const options: Record<string, unknown> = {};
  for (const [name, field] of Object.entries(inputs)) {
    const raw = rawInput(name, environment) ?? field.default;
    if (raw === undefined) {
      if (field.required) problems.push(missing(name, field));
      continue;
    }
    try {
      options[camelCase(name)] = field.parse(raw);
    } catch (error) {
      if (!(error instanceof Rejection)) throw error;
      problems.push({ ...missing(name, field), got: quotable(field, raw), problem: error.message });
    }
  }
  if (problems.length > 0) throw inputError(problems, Object.keys(inputs));
  return options as OptionsOf<I>;
}

/** The texts among the given inputs that must be hidden before anything is printed. */
export function secretsAmong(inputs: Inputs, environment: Environment): readonly string[] {
  return Object.entries(inputs).flatMap(([name, field]) => {
    const raw = rawInput(name, environment);
    return raw === undefined ? [] : field.secretsIn(raw);
  });
}

function rawInput(name: string, environment: Environment): string | undefined {
  // The runner upper-cases the name and keeps hyphens: INPUT_RELEASE-NAME.
  const raw = environment[variableOf(name)]?.trim();
  return raw === "" ? undefined : raw;
}

function variableOf(name: string): string {
  return `INPUT_${name.replaceAll(" ", "_").toUpperCase()}`;
}

/**
 * The runner passes on inputs that action.yml does not declare and only warns. One that resembles
 * a declared name is taken for a slip of the pen; others may be variables of the job's own.
 */
function unknownInputs(inputs: Inputs, environment: Environment): InputProblem[] {
  const known = new Set(Object.keys(inputs).map(variableOf));
  const names = Object.keys(environment).filter(
    (key) => key.startsWith("INPUT_") && !known.has(key),
  );
  return names.flatMap((key) => {
    const name = key.slice("INPUT_".length).toLowerCase();
    const near = nearestName(name.replaceAll("_", "-"), Object.keys(inputs));
    if (near === undefined) return [];
    const problem = `there is no such input; did you mean ${near}?`;
    return [{ input: name, got: undefined, problem, accepts: undefined }];
  });
}

function missing(name: string, field: Field<unknown>): InputProblem {
  return { input: name, got: undefined, problem: "it is required", accepts: field.accepts };
}

function quotable(field: Field<unknown>, raw: string): string | undefined {
  if (field.secretsIn(raw).length > 0) return "a secret value";
  const shown = raw.length > LONGEST_QUOTE ? `${raw.slice(0, LONGEST_QUOTE)}…` : raw;
  return JSON.stringify(shown);
}

function inputError(problems: readonly InputProblem[], known: readonly string[]): UserError {
  const sentences = problems.map(({ input, got, problem, accepts }) => {
    const received = got === undefined ? "" : `got ${got}; `;
    const accepted = accepts === undefined ? "" : `; accepted is ${accepts}`;
    const sentence = `${input}: ${received}${problem}${accepted}`;
    return sentence.endsWith("?") ? sentence : `${sentence}.`;
  });
  const unknown = problems.some(({ problem }) => problem.startsWith("there is no such input"));
  return new UserError({
    title: problems.length === 1 ? "One input is wrong" : `${problems.length} inputs are wrong`,
    cause: sentences.join("\n"),
    remedy: unknown
      ? `Correct the step's \`with:\`. The inputs are ${known.join(", ")}.`
      : "Correct the step's `with:` and run again; nothing was changed.",
  });
}

function camelCase(name: string): string {
  return name.replace(/-([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
}
