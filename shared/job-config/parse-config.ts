import type { ConfigKind, Declaration, Issue, Login, Source, Text } from "./declaration.ts";
import { type EnvLine, parseEnvLines } from "./env-lines.ts";
import { keyProblem, nameProblem } from "./key-rules.ts";
import { Place } from "./reader.ts";
import { parseYamlTree, YamlProblem } from "./yaml-tree.ts";

/** What came of reading declarations: all of them, or all that is wrong. */
export type ParsedConfig =
  | { readonly declarations: readonly Declaration[] }
  | { readonly issues: readonly Issue[] };

const COMMON = [
  "literals",
  "from-env",
  "files",
  "env-file",
  "allow-empty",
  "immutable",
  "labels",
  "annotations",
] as const;
const OF_SECRETS = [
  ...COMMON,
  "type",
  "cert",
  "key",
  "server",
  "username",
  "username-env",
  "password",
  "password-env",
  "email",
] as const;
type Keys = { readonly [Key in (typeof OF_SECRETS)[number]]?: Place };

/** What kubectl calls the types of Secrets, and what Kubernetes does. */
const TYPES: Readonly<Record<string, string>> = {
  generic: "Opaque",
  opaque: "Opaque",
  tls: "kubernetes.io/tls",
  "docker-registry": "kubernetes.io/dockerconfigjson",
  "basic-auth": "kubernetes.io/basic-auth",
  "ssh-auth": "kubernetes.io/ssh-auth",
};
const DOCKER_HUB = "https://index.docker.io/v1/";
const VARIABLE = /^[A-Za-z_][A-Za-z0-9_]*$/;

/**
 * Reads the ConfigMaps or Secrets that a job declares, as a YAML mapping of names to what each
 * holds. Every problem is told, and none quotes a value, for a value may be a secret.
 */
export function parseConfig(kind: ConfigKind, raw: string): ParsedConfig {
  const issues: Issue[] = [];
  const declarations = read(kind, raw, issues);
  return issues.length > 0 ? { issues } : { declarations };
}

function read(kind: ConfigKind, raw: string, issues: Issue[]): readonly Declaration[] {
  try {
    const tree = parseYamlTree(raw);
    if (tree === undefined) return [];
    const whole = new Place(tree, [], issues);
    const declared = whole.entries();
    return declared.flatMap(([name, place]) => declarationOf(kind, name, place) ?? []);
  } catch (error) {
    if (!(error instanceof YamlProblem)) throw error;
    const advice =
      "a value put in by an expression can break it: take such values from variables, by from-env";
    issues.push({ path: [], message: `${error.message} (${advice})` });
    return [];
  }
}

function declarationOf(kind: ConfigKind, name: string, place: Place): Declaration | undefined {
  const problem = nameProblem(name);
  if (problem !== undefined) return place.refuse(problem);
  const keys: Keys = place.keys(kind === "Secret" ? OF_SECRETS : COMMON);
  const type = kind === "Secret" ? typeOf(keys) : undefined;
  const sources = sourcesOf(kind, keys);
  const login = loginOf(keys, type);
  if (sources.length === 0 && login === undefined && !isAnyGiven(keys)) {
    place.refuse("it holds nothing: give it literals, from-env, files or env-file");
  }
  return {
    kind,
    name,
    type,
    sources,
    login,
    allowEmpty: allowedEmpty(keys["allow-empty"]),
    immutable: keys.immutable?.flag() ?? false,
    labels: namedTexts(keys.labels),
    annotations: namedTexts(keys.annotations),
  };
}

/** Whether something is there that has been refused already, so that "nothing" would be wrong. */
function isAnyGiven(keys: Keys): boolean {
  const places = [keys.literals, keys["from-env"], keys.files, keys["env-file"]];
  return [...places, keys.cert, keys.key, keys.password, keys["password-env"]].some(
    (given) => given !== undefined,
  );
}

function typeOf(keys: Keys): string {
  const given = keys.type?.text();
  if (given === undefined) return keys.cert === undefined ? "Opaque" : "kubernetes.io/tls";
  return TYPES[given.toLowerCase()] ?? given;
}

function sourcesOf(kind: ConfigKind, keys: Keys): readonly Source[] {
  return [
    ...literalsOf(kind, keys.literals),
    ...variablesOf(keys["from-env"]),
    ...(keys.files?.texts() ?? []).flatMap((text) => fileOf(text, keys.files) ?? []),
    ...(keys["env-file"]?.texts() ?? []).map((path): Source => ({ from: "env-file", path })),
    ...pemOf("tls.crt", keys.cert),
    ...pemOf("tls.key", keys.key),
  ];
}

/** `KEY=value` lines, taken letter for letter, or a mapping. */
function literalsOf(kind: ConfigKind, place: Place | undefined): readonly Source[] {
  if (place === undefined) return [];
  if (place.node.kind === "mapping") {
    return place.entries().flatMap(([key, inner]) => {
      if (keyProblem(key) !== undefined) return inner.refuse(keyProblem(key) ?? "") ?? [];
      const value = kind === "Secret" ? inner.verbatim() : inner.value();
      return value === undefined ? [] : [{ from: "literal", key, value } as const];
    });
  }
  return place.items().flatMap((item) => {
    const text = kind === "Secret" ? item.verbatim() : item.value();
    return parseEnvLines(text ?? "").flatMap((line) => literalOf(line, item) ?? []);
  });
}

function literalOf({ line, name, value }: EnvLine, place: Place): Source | undefined {
  if (value !== undefined && keyProblem(name) === undefined) {
    return { from: "literal", key: name, value };
  }
  // The name may be a piece of a value of several lines: it is not quoted.
  const advice = "a value of several lines is taken from a variable, by from-env";
  return place.refuse(`its line ${line} is not KEY=value (${advice})`);
}

/** `[NAME, ...]`, or `{key: NAME, ...}` where the key has another name than the variable. */
function variablesOf(place: Place | undefined): readonly Source[] {
  if (place === undefined) return [];
  if (place.node.kind !== "mapping") {
    const names = place
      .texts()
      .flatMap((text) => text.split(/[\s,]+/).filter((name) => name !== ""));
    return names.flatMap((name) => variableOf(name, name, place) ?? []);
  }
  return place.entries().flatMap(([key, inner]) => {
    const problem = keyProblem(key);
    if (problem !== undefined) return inner.refuse(problem) ?? [];
    const variable = inner.text();
    return variable === undefined ? [] : (variableOf(key, variable, inner) ?? []);
  });
}

function variableOf(key: string, variable: string, place: Place): Source | undefined {
  // It is the name of a variable that is wanted; who gave its value must not see it in a message.
  if (!VARIABLE.test(variable)) {
    return place.refuse("it must name environment variables of the step, not hold their values");
  }
  return { from: "variable", key, variable };
}

/** `path`, `folder` or `key=path`, as kubectl's --from-file takes them. */
function fileOf(text: string, place: Place | undefined): Source | undefined {
  const equals = text.indexOf("=");
  if (equals < 0) return { from: "file", key: undefined, path: text };
  const key = text.slice(0, equals);
  const path = text.slice(equals + 1);
  const problem = keyProblem(key) ?? (path === "" ? `the path of ${key} is missing` : undefined);
  return problem === undefined ? { from: "file", key, path } : place?.refuse(problem);
}

function pemOf(key: string, place: Place | undefined): readonly Source[] {
  const path = place?.text();
  if (path === undefined) return [];
  if (!path.includes("-----BEGIN")) return [{ from: "file", key, path }];
  return (
    place?.refuse(
      "it is the path of a file; take PEM from a variable: `from-env: {tls.crt: NAME}`",
    ) ?? []
  );
}

function loginOf(keys: Keys, type: string | undefined): Login | undefined {
  const { server, email, username, password } = keys;
  const user = textOf(username?.text(), keys["username-env"]);
  const secret = textOf(password?.verbatim(), keys["password-env"]);
  const given = [server, email, username, password, keys["username-env"], keys["password-env"]];
  const first = given.find((place) => place !== undefined);
  if (first === undefined) return undefined;
  if (type !== "kubernetes.io/dockerconfigjson") {
    return first.refuse("it belongs to a Secret with `type: docker-registry`");
  }
  if (user === undefined || secret === undefined) {
    return first.refuse(
      "a registry's Secret needs username or username-env, and password-env (the name of a variable)",
    );
  }
  return {
    server: server?.text() ?? DOCKER_HUB,
    username: user,
    password: secret,
    email: email?.text(),
  };
}

function textOf(literal: string | undefined, variable: Place | undefined): Text | undefined {
  const name = variable?.text();
  if (variable !== undefined) {
    if (name === undefined || VARIABLE.test(name))
      return name === undefined ? undefined : { variable: name };
    return variable.refuse("it must name an environment variable of the step, not hold its value");
  }
  return literal === undefined ? undefined : { literal };
}

function allowedEmpty(place: Place | undefined): Declaration["allowEmpty"] {
  if (place === undefined) return false;
  const texts = place.texts();
  const [only = ""] = texts;
  return texts.length === 1 && /^(true|false)$/i.test(only) ? /^true$/i.test(only) : texts;
}

function namedTexts(place: Place | undefined): Readonly<Record<string, string>> {
  if (place === undefined) return {};
  return Object.fromEntries(
    place.entries().flatMap(([name, inner]) => {
      const value = inner.value();
      return value === undefined ? [] : [[name, value] as const];
    }),
  );
}
