import type { Matcher } from "./matcher.ts";
import { masked, parsed } from "./papers.ts";

type Path = readonly (string | number)[];

const PROVENANCE = /slsa\.dev\/provenance/;
const LONGEST = 120;

/** Where in an image's configuration something stands, as a user would call it. */
export function placeInConfig(path: Path, text: string, matcher: Matcher): string {
  const [first, second, third] = path;
  const value = valueAt(parsed(text), path);
  if (first === "config" && second === "Env" && typeof value === "string") {
    const name = value.split("=")[0] ?? "";
    return `the environment variable ${shown(name, matcher)} of the image`;
  }
  if (first === "config" && second === "Labels") {
    return `the label ${shown(String(third), matcher)} of the image`;
  }
  if (first === "history" && typeof value === "string") {
    return `the image's history: ${shown(value, matcher)}`;
  }
  return `the image's configuration${at(path, matcher)}`;
}

/** Where in a manifest something stands. */
export function placeInManifest(path: Path, matcher: Matcher): string {
  const annotation = path.lastIndexOf("annotations");
  const name = path[annotation + 1];
  if (annotation < 0 || name === undefined) return `the manifest${at(path, matcher)}`;
  return `the annotation ${shown(String(name), matcher)}`;
}

/** Where in a statement about an image something stands. */
export function placeInStatement(predicate: string, path: Path, matcher: Matcher): string {
  const what = statementName(predicate);
  const argument = argumentIn(path);
  if (argument === undefined) return `${what}${at(path, matcher)}`;
  return `${what}, which records the build argument ${shown(argument, matcher)}`;
}

/** What users call the papers with these predicates. */
export function statementName(predicate: string): string {
  if (PROVENANCE.test(predicate)) return "the provenance";
  if (/spdx|cyclonedx/i.test(predicate)) return "the bill of materials";
  return predicate === "" ? "a statement about the image" : `the statement ${predicate}`;
}

/** Whether a predicate is that of a provenance. */
export function isProvenance(predicate: string): boolean {
  return PROVENANCE.test(predicate);
}

/** The build argument that a path of a provenance leads to. Source: BuildKit, SLSA definitions. */
export function argumentIn(path: Path): string | undefined {
  const last = path.at(-1);
  if (typeof last !== "string" || path.at(-2) !== "args") return undefined;
  return last.startsWith("build-arg:") ? last.slice("build-arg:".length) : undefined;
}

/** A text in one short line without what was found in it. */
export function shown(text: string, matcher: Matcher): string {
  const line = masked(text, matcher).replace(/\s+/g, " ").trim();
  return line.length > LONGEST ? `${line.slice(0, LONGEST)}…` : line;
}

function at(path: Path, matcher: Matcher): string {
  return path.length === 0 ? "" : ` at ${shown(path.join("."), matcher)}`;
}

function valueAt(value: unknown, path: Path): unknown {
  return path.reduce<unknown>(
    (inner, key) => (inner as Record<string | number, unknown> | undefined)?.[key],
    value,
  );
}
