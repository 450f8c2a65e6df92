import { isMapping, type Part, structure } from "../../shared/action/index.ts";

/** Where the value of a build's secret is to be found. */
export type SecretSource = { readonly variable: string } | { readonly file: string };

/** A service as the user wrote it. */
export interface ServiceInput {
  readonly name: string;
  readonly context?: string | undefined;
  readonly dockerfile?: string | undefined;
  readonly target?: string | undefined;
  readonly buildArgs?: Readonly<Record<string, string>> | undefined;
  readonly secrets?: Readonly<Record<string, SecretSource>> | undefined;
  readonly platforms?: readonly string[] | undefined;
  readonly tags?: readonly string[] | undefined;
}

/** What the name of an environment variable looks like. */
export const VARIABLE = /^[A-Za-z_][A-Za-z0-9_]*$/;

const KEYS = [
  "name",
  "context",
  "dockerfile",
  "target",
  "build-args",
  "secrets",
  "platforms",
  "tags",
] as const;

/** A list of services, as the input `services` has it. */
export const servicesSchema = structure(
  (list) => list.items("service").flatMap((item) => readService(item) ?? []),
  { quotesNoValues: true },
);

/** Secrets of a build, as the input `secrets` has them. */
export const secretsSchema = structure(readSecrets, { quotesNoValues: true });

function readService(item: Part): ServiceInput | undefined {
  const given = item.keys(KEYS);
  if (given.name === undefined && isMapping(item.value)) item.refuse("name is missing");
  const name = given.name?.text();
  const service = {
    context: given.context?.text(),
    dockerfile: given.dockerfile?.text(),
    target: given.target?.text(),
    buildArgs: given["build-args"] && readBuildArgs(given["build-args"]),
    secrets: given.secrets && readSecrets(given.secrets),
    platforms: given.platforms && texts(given.platforms),
    tags: given.tags && texts(given.tags),
  };
  return name === undefined ? undefined : { name, ...service };
}

function texts(list: Part): readonly string[] {
  return list.oneOrMore().flatMap((item) => item.text() ?? []);
}

function readBuildArgs(mapping: Part): Readonly<Record<string, string>> {
  const entries = mapping.entries().flatMap(([name, given]) => {
    // An empty value is one: it overrides the default of the Dockerfile.
    const text = given.value === "" ? "" : given.text();
    return text === undefined ? [] : [[name, text] as const];
  });
  return Object.fromEntries(entries);
}

function readSecrets(mapping: Part): Readonly<Record<string, SecretSource>> {
  const entries = mapping.entries().flatMap(([id, given]) => {
    const source = readSecret(given);
    return source === undefined ? [] : [[id, source] as const];
  });
  return Object.fromEntries(entries);
}

function readSecret(given: Part): SecretSource | undefined {
  if (isMapping(given.value)) {
    const keys = given.keys(["file"]);
    if (keys.file === undefined) return given.refuse("file is missing");
    const file = keys.file.text();
    return file === undefined ? undefined : { file };
  }
  const variable = given.text();
  if (variable === undefined) return undefined;
  if (VARIABLE.test(variable)) return { variable };
  // The text may be the secret itself, put here by mistake: it is not repeated.
  return given.refuse(
    "give the name of an environment variable that holds the secret, not the secret itself",
  );
}
