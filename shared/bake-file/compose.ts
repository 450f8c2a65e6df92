import { load, YAMLException } from "js-yaml";
import type { Refusal } from "./target.ts";

type Data = Readonly<Record<string, unknown>>;

/** What buildx does not tell of a file. */
export interface ComposeFacts {
  readonly notes: readonly string[];
  /** By target: what it says of the build and buildx leaves out. */
  readonly refusals: ReadonlyMap<string, readonly Refusal[]>;
  /** By target: the platform of the service, which docker compose builds for. */
  readonly platforms: ReadonlyMap<string, string>;
}

/** Whether buildx reads a file of this name as a compose file. */
export function isCompose(file: string): boolean {
  return /\.ya?ml$/i.test(file);
}

/** Looks into the text of a compose file that buildx could read. */
export function composeFacts(text: string, file: string): ComposeFacts {
  const notes: string[] = [];
  const refusals = new Map<string, readonly Refusal[]>();
  const platforms = new Map<string, string>();
  const unbuilt: string[] = [];
  const services = servicesIn(text);
  if (services === undefined) {
    notes.push(`${file}: it was not searched for what buildx leaves out of builds`);
  }
  for (const [name, value] of Object.entries(services ?? {})) {
    const service = dataOf(value);
    if (service.build === undefined || service.build === null) {
      if (service.extends === undefined) unbuilt.push(name);
      continue;
    }
    const target = targetNameOf(name);
    refusals.set(target, refusalsOf(dataOf(service.build)));
    if (typeof service.platform === "string") platforms.set(target, service.platform);
    if (Array.isArray(service.profiles) && service.profiles.length > 0) {
      notes.push(
        `${file}: ${name} is of the profile ${service.profiles.join(", ")} and is built all the same, as buildx has it`,
      );
    }
  }
  if (unbuilt.length > 0) {
    notes.push(`${file}: nothing to build for ${unbuilt.join(", ")}, without a build section`);
  }
  return { notes, refusals, platforms };
}

/** Undefined for what only a reader of compose files can read, such as the tag `!reset`. */
function servicesIn(text: string): Data | undefined {
  if (text.trim() === "") return {};
  try {
    return dataOf(dataOf(load(text)).services);
  } catch (error) {
    if (error instanceof YAMLException) return undefined;
    throw error;
  }
}

/** Source: buildx, bake.go, sanitizeTargetName. */
export function targetNameOf(service: string): string {
  return service.replaceAll(".", "_");
}

function refusalsOf(build: Data): readonly Refusal[] {
  const refusals: Refusal[] = [];
  const refuse = (key: string, problem: string) => refusals.push({ key: `build.${key}`, problem });
  const lost = "buildx does not pass it on to the build";
  if (build.privileged === true || build.privileged === "true") {
    refuse("privileged", `${lost}; use a bake file with entitlements`);
  }
  for (const key of ["isolation", "entitlements", "no_cache_filter"]) {
    if (build[key] !== undefined && build[key] !== null) refuse(key, lost);
  }
  for (const [name, limit] of Object.entries(dataOf(build.ulimits))) {
    // buildx reads a single number as 0.
    if (typeof limit !== "object") refuse(`ulimits.${name}`, `${lost}; write soft and hard`);
  }
  const secrets = Array.isArray(build.secrets) ? build.secrets : [];
  for (const secret of secrets.map(dataOf)) {
    for (const key of ["target", "uid", "gid", "mode"]) {
      const own = key === "target" && secret.target === secret.source;
      if (secret[key] !== undefined && !own) {
        refuse(
          `secrets.${secret.source}.${key}`,
          `${lost}; write it at the mount in the Dockerfile`,
        );
      }
    }
  }
  return refusals;
}

function dataOf(value: unknown): Data {
  const isData = typeof value === "object" && value !== null && !Array.isArray(value);
  return isData ? (value as Data) : {};
}
