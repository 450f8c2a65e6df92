import type { Schema } from "../../shared/action/index.ts";
import { nearestName } from "../../shared/failure/index.ts";

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

interface Issue {
  readonly path: readonly (string | number)[];
  readonly message: string;
}

/** Collects what is wrong while it reads, so that everything is told at once. */
class Reader {
  readonly issues: Issue[] = [];

  refuse(path: Issue["path"], message: string): undefined {
    this.issues.push({ path, message });
    return undefined;
  }

  text(value: unknown, path: Issue["path"]): string | undefined {
    if (typeof value === "string" && value.trim() !== "") return value.trim();
    if (typeof value === "string") return this.refuse(path, "it is empty");
    // YAML reads 1.10 as the number 1.1: taking it for text would change what was written.
    if (["number", "boolean", "bigint"].includes(typeof value) || value instanceof Date) {
      return this.refuse(path, "put it in quotes, so that YAML leaves it as it is written");
    }
    return this.refuse(path, "it is not text");
  }

  texts(value: unknown, path: Issue["path"]): readonly string[] | undefined {
    const items = Array.isArray(value) ? value : [value];
    if (items.length === 0) return this.refuse(path, "it is empty");
    return items.flatMap((item, index) => this.text(item, [...path, index]) ?? []);
  }

  map(value: unknown, path: Issue["path"]): [string, unknown][] {
    if (typeof value === "object" && value !== null && !Array.isArray(value)) {
      return Object.entries(value);
    }
    this.refuse(path, "it is not a map of names to values");
    return [];
  }
}

const READERS = {
  name: (reader: Reader, value: unknown, path: Issue["path"]) => reader.text(value, path),
  context: (reader: Reader, value: unknown, path: Issue["path"]) => reader.text(value, path),
  dockerfile: (reader: Reader, value: unknown, path: Issue["path"]) => reader.text(value, path),
  target: (reader: Reader, value: unknown, path: Issue["path"]) => reader.text(value, path),
  "build-args": readBuildArgs,
  secrets: readSecrets,
  platforms: (reader: Reader, value: unknown, path: Issue["path"]) => reader.texts(value, path),
  tags: (reader: Reader, value: unknown, path: Issue["path"]) => reader.texts(value, path),
} as const;

/** A list of services, as the input `services` has it. */
export const servicesSchema: Schema<readonly ServiceInput[]> = {
  quotesNoValues: true,
  safeParse: (value) => {
    const reader = new Reader();
    if (!Array.isArray(value)) reader.refuse([], "it is not a list");
    else if (value.length === 0) reader.refuse([], "the list is empty");
    const items: unknown[] = Array.isArray(value) ? value : [];
    return resultOf(
      reader,
      items.map((item, index) => readService(reader, item, [index])),
    );
  },
};

/** Secrets of a build, as the input `secrets` has them. */
export const secretsSchema: Schema<Readonly<Record<string, SecretSource>>> = {
  quotesNoValues: true,
  safeParse: (value) => {
    const reader = new Reader();
    return resultOf(reader, readSecrets(reader, value, []));
  },
};

function resultOf<T>({ issues }: Reader, data: T) {
  return issues.length === 0
    ? ({ success: true, data } as const)
    : ({ success: false, error: { issues } } as const);
}

function readService(reader: Reader, value: unknown, path: Issue["path"]): ServiceInput {
  const entries = reader.map(value, path);
  const read: Record<string, unknown> = {};
  for (const [key, given] of entries) {
    const read1 = READERS[key as keyof typeof READERS];
    if (read1 === undefined) {
      const near = nearestName(key, Object.keys(READERS));
      const hint =
        near === undefined
          ? `known are ${Object.keys(READERS).join(", ")}`
          : `did you mean ${near}?`;
      reader.refuse([...path, key], `there is no such key; ${hint}`);
      continue;
    }
    read[key] = read1(reader, given, [...path, key]);
  }
  if (entries.length > 0 && !("name" in read)) reader.refuse(path, "name is missing");
  const { "build-args": buildArgs, ...rest } = read;
  return { ...rest, buildArgs } as unknown as ServiceInput;
}

function readBuildArgs(
  reader: Reader,
  value: unknown,
  path: Issue["path"],
): Readonly<Record<string, string>> {
  const entries = reader.map(value, path).flatMap(([name, given]) => {
    // An empty value is one: it overrides the default of the Dockerfile.
    const text = given === "" ? "" : reader.text(given, [...path, name]);
    return text === undefined ? [] : [[name, text] as const];
  });
  return Object.fromEntries(entries);
}

function readSecrets(
  reader: Reader,
  value: unknown,
  path: Issue["path"],
): Readonly<Record<string, SecretSource>> {
  const entries = reader.map(value, path).flatMap(([id, given]) => {
    const source = readSecret(reader, given, [...path, id]);
    return source === undefined ? [] : [[id, source] as const];
  });
  return Object.fromEntries(entries);
}

function readSecret(reader: Reader, value: unknown, path: Issue["path"]): SecretSource | undefined {
  if (typeof value === "object" && value !== null && "file" in value) {
    const file = reader.text(value.file, [...path, "file"]);
    return file === undefined ? undefined : { file };
  }
  const variable = reader.text(value, path);
  if (variable === undefined) return undefined;
  if (VARIABLE.test(variable)) return { variable };
  // The text may be the secret itself, put here by mistake: it is not repeated.
  return reader.refuse(
    path,
    "give the name of an environment variable that holds the secret, not the secret itself",
  );
}
