import { isUtf8 } from "node:buffer";
import { UserError } from "../failure/index.ts";
import type { Secrets } from "../secrets/index.ts";
import type { Declaration } from "./declaration.ts";
import { type ConfigObject, titleOf } from "./job-config.ts";
import { MOST_BYTES } from "./key-rules.ts";
import { type Entry, type Ground, readSources, readText, SourceProblem } from "./read-sources.ts";
import { DOCKER_CONFIG, DOCKER_CONFIG_KEY, dockerConfig, typeProblems } from "./secret-types.ts";
import { isWorthHiding } from "./secrets-in.ts";

/** A file of more lines than this is hidden by its first ones only: each costs every log line time. */
const MOST_HIDDEN_LINES = 300;

/**
 * Reads what the declared ConfigMaps and Secrets are to hold: files, env files, variables of the
 * step. Every value of a Secret is given to `secrets` before anything else is done with it.
 *
 * @throws {UserError} with everything that is wrong with any of them: a variable that is not set, a
 * value that is empty, a key that Kubernetes refuses, too much content, a certificate that does not
 * belong to its key.
 */
export async function readJobConfig(
  declarations: readonly Declaration[],
  ground: Ground & { readonly secrets: Secrets },
): Promise<readonly ConfigObject[]> {
  const read = await Promise.all(declarations.map((one) => readOne(one, ground)));
  const problems = read.flatMap(({ problems: own }, at) => {
    const declaration = declarations[at];
    return declaration === undefined ? [] : own.map((text) => `${titleOf(declaration)}: ${text}`);
  });
  if (problems.length > 0) throw wrong(problems);
  return read.map(({ object }) => object);
}

async function readOne(declaration: Declaration, ground: Ground & { readonly secrets: Secrets }) {
  const { entries, problems } = await readSources(declaration, ground);
  const login = readLogin(declaration, ground);
  const all = login instanceof SourceProblem || login === undefined ? entries : [...entries, login];
  if (declaration.kind === "Secret") hide(all, ground.secrets);
  const content = new Map([...all].sort(byKey).map(({ key, value }) => [key, value]));
  const object = objectOf(declaration, content);
  // While something is missing, what it belongs to cannot be judged as a whole.
  const whole = problems.length === 0 && !(login instanceof SourceProblem);
  return {
    object,
    problems: [
      ...problems,
      ...(login instanceof SourceProblem ? [login.message] : []),
      ...repeated(all),
      ...empty(all, declaration.allowEmpty),
      ...(whole ? [...tooMuch(content), ...typeProblems(declaration.type, content)] : []),
    ],
  };
}

function readLogin({ login, type }: Declaration, ground: Ground & { readonly secrets: Secrets }) {
  if (login === undefined || type !== DOCKER_CONFIG) return undefined;
  try {
    const password = readText(login.password, ground);
    // Within the configuration it stands in base64, where the whole would not hide it alone.
    if (isWorthHiding(password)) ground.secrets.add(password);
    const username = readText(login.username, ground);
    if (password === "") return new SourceProblem(emptyWords("the password"));
    if (username === "") return new SourceProblem(emptyWords("the username"));
    const { server, email } = login;
    const value = dockerConfig({ server, username, password, email });
    return { key: DOCKER_CONFIG_KEY, value, origin: "the login" };
  } catch (error) {
    if (error instanceof SourceProblem) return error;
    throw error;
  }
}

function objectOf(declaration: Declaration, content: ReadonlyMap<string, Buffer>): ConfigObject {
  const { kind, name, type, immutable, labels, annotations } = declaration;
  return { kind, name, type, content, immutable, labels, annotations };
}

function hide(entries: readonly Entry[], secrets: Secrets): void {
  for (const { value } of entries) {
    // Bytes that are no text can only turn up in base64.
    const text = isUtf8(value) ? value.toString("utf8") : value.toString("base64");
    const lines = text.split(/\r\n|\r|\n/);
    const hidden = lines.length > MOST_HIDDEN_LINES ? lines.slice(0, MOST_HIDDEN_LINES) : [text];
    for (const part of hidden) if (isWorthHiding(part)) secrets.add(part);
  }
}

function byKey(a: Entry, b: Entry): number {
  return a.key < b.key ? -1 : a.key > b.key ? 1 : 0;
}

function repeated(entries: readonly Entry[]): readonly string[] {
  const first = new Map<string, Entry>();
  return entries.flatMap((entry) => {
    const before = first.get(entry.key);
    first.set(entry.key, entry);
    return before === undefined
      ? []
      : [`the key ${entry.key} comes twice: from ${before.origin} and from ${entry.origin}`];
  });
}

function empty(entries: readonly Entry[], allowed: Declaration["allowEmpty"]): readonly string[] {
  if (allowed === true) return [];
  return entries
    .filter(({ key, value }) => value.length === 0 && !(allowed || []).includes(key))
    .map(({ key, origin }) => `${emptyWords(`the value of ${key}`)} (${origin})`);
}

function emptyWords(what: string): string {
  return `${what} is empty, as a secret is that is not set in the repository or its environment`;
}

function tooMuch(content: ReadonlyMap<string, Buffer>): readonly string[] {
  const bytes = [...content.values()].reduce((sum, { length }) => sum + length, 0);
  return bytes <= MOST_BYTES
    ? []
    : [`it holds ${bytes} bytes of values; Kubernetes allows ${MOST_BYTES} (1 MiB)`];
}

function wrong(problems: readonly string[]): UserError {
  const one = problems.length === 1;
  return new UserError({
    title: one
      ? "A value for the cluster is wrong"
      : `${problems.length} values for the cluster are wrong`,
    cause: problems.map((text) => `${text}.`).join("\n"),
    remedy:
      "Correct them and run again; nothing was changed. A value that may be empty is named in allow-empty.",
  });
}
