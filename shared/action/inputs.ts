import { FormatError, nearestName, UserError } from "../failure/index.ts";
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
 * Reads all inputs from the `INPUT_*` variables that the runner sets. `redact` is used on what is
 * quoted of a wrong value.
 *
 * @throws {UserError} naming every problem at once: the input, what it got, what is accepted.
 */
export function parseInputs<I extends Inputs>(
  inputs: I,
  environment: Environment,
  redact: (text: string) => string = (text) => text,
): OptionsOf<I> {
  const unknown = unknownInputs(inputs, environment);
  const problems: InputProblem[] = unknown.filter(({ near }) => near !== undefined).map(misspelt);
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
      if (!(error instanceof FormatError)) throw error;
      problems.push(rejected(name, field, raw, error, redact));
    }
  }
  if (problems.length > 0) throw inputError(problems, unknown, Object.keys(inputs));
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

/** An input that was given and does not exist, with the one it may have been meant to be. */
interface UnknownInput {
  readonly name: string;
  readonly near: string | undefined;
}

/**
 * The runner passes on inputs that action.yml does not declare and only warns. One that resembles
 * a declared name is taken for a slip of the pen; others may be variables of the job's own, and
 * are told of only where something else is wrong.
 */
function unknownInputs(inputs: Inputs, environment: Environment): readonly UnknownInput[] {
  const names = Object.keys(inputs);
  const known = new Set(names.map(variableOf));
  return Object.keys(environment)
    .filter((key) => key.startsWith("INPUT_") && !known.has(key))
    .map((key) => {
      const name = key.slice("INPUT_".length).toLowerCase();
      return { name, near: nearestName(name.replaceAll("_", "-"), names) };
    });
}

function misspelt({ name, near }: UnknownInput): InputProblem {
  const problem = `there is no such input; did you mean ${near}?`;
  return { input: shown(name), got: undefined, problem, accepts: undefined };
}

function missing(name: string, { accepts }: Field<unknown>): InputProblem {
  return { input: name, got: undefined, problem: "it is required", accepts };
}

function rejected(
  name: string,
  field: Field<unknown>,
  raw: string,
  error: FormatError,
  redact: (text: string) => string,
): InputProblem {
  const { accepts } = field;
  const { message } = error;
  // The words of a rejection may quote the value.
  if (field.secretsIn(raw).length > 0) {
    const quotable = error instanceof Rejection && error.quotesNoSecret;
    const problem = quotable ? redact(message) : "it is not acceptable";
    return { input: name, got: "a secret value", problem, accepts };
  }
  return { input: name, got: JSON.stringify(cut(redact(raw))), problem: redact(message), accepts };
}

function cut(text: string): string {
  return text.length > LONGEST_QUOTE ? `${text.slice(0, LONGEST_QUOTE)}…` : text;
}

/** A name from the workflow file; one with odd characters is quoted. */
function shown(name: string): string {
  return /^[\w -]+$/.test(name) ? name : JSON.stringify(cut(name));
}

function inputError(
  problems: readonly InputProblem[],
  unknown: readonly UnknownInput[],
  known: readonly string[],
): UserError {
  const sentences = problems.map(({ input, got, problem, accepts }) => {
    const received = got === undefined ? "" : `got ${got}; `;
    const accepted = accepts === undefined ? "" : `; accepted is ${accepts}`;
    const sentence = `${input}: ${received}${problem}${accepted}`;
    return sentence.endsWith("?") ? sentence : `${sentence}.`;
  });
  const unused = unknown.filter(({ near }) => near === undefined).map(({ name }) => shown(name));
  const listed = unused.length === 0 ? "" : ` Given, but no input: ${unused.join(", ")}.`;
  return new UserError({
    title: problems.length === 1 ? "One input is wrong" : `${problems.length} inputs are wrong`,
    cause: sentences.join("\n"),
    remedy:
      unknown.length === 0
        ? "Correct the step's `with:` and run again; nothing was changed."
        : `Correct the step's \`with:\` and run again; nothing was changed.${listed} The inputs are ${known.join(", ")}.`,
  });
}

function camelCase(name: string): string {
  return name.replace(/-([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
}
