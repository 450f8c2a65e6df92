import { createHash } from "node:crypto";

/** What becomes of a statement about an image, so that it says the same after every build of the same sources. */
export type Reproducible =
  | { readonly kind: "same" }
  | { readonly kind: "rewritten"; readonly text: string }
  /** Left alone, for it is not known which of its parts are the run's. */
  | { readonly kind: "unknown"; readonly why: string };

type Json = { [name: string]: unknown };

/**
 * Leaves out of an in-toto statement what is told of the one run that made it, and nothing else.
 *
 * Of provenance that is: identity, begin and end of the run, which SLSA leaves optional
 * (`metadata.invocationId`, `startedOn`, `finishedOn` in v1; `buildInvocationID`,
 * `buildStartedOn`, `buildFinishedOn` in v0.2), and two additions of BuildKit: the digests of its
 * steps, which hold the identity of its client's session, and those of layers before their
 * timestamps are rewritten, which are in no image. Of a bill of materials in SPDX the two fields
 * that must be there and differ are given values that follow from the rest.
 *
 * @param text JSON of the statement.
 * @param created when the image was made, for what needs a time; RFC 3339.
 */
export function reproducibleStatement(text: string, created: string | undefined): Reproducible {
  const statement = parseSafely(text);
  if (statement === undefined)
    return { kind: "unknown", why: "it is no JSON that we can write again" };
  const type = String(statement.predicateType ?? "");
  const write = WRITERS.find(([pattern]) => pattern.test(type))?.[1];
  const predicate = objectIn(statement, "predicate");
  if (write === undefined || predicate === undefined) {
    return { kind: "unknown", why: `its kind ${type || "without a name"} is not known` };
  }
  const before = JSON.stringify(statement);
  const why = write(predicate, created);
  if (why !== undefined) return { kind: "unknown", why };
  const after = JSON.stringify(statement);
  return after === before ? { kind: "same" } : { kind: "rewritten", text: after };
}

/** Changes a predicate in place; says why it could not. */
type Writer = (predicate: Json, created: string | undefined) => string | undefined;

const WRITERS: readonly (readonly [RegExp, Writer])[] = [
  [/^https:\/\/slsa\.dev\/provenance\/v1$/, rewriteV1],
  [/^https:\/\/slsa\.dev\/provenance\/v0\.2$/, rewriteV02],
  [/^https:\/\/spdx\.dev\/Document(?:\/v2\.[23])?$/, rewriteSpdx],
];

/** Source: slsa.dev/spec/v1.0/provenance, "BuildMetadata": all three are optional. */
function rewriteV1(predicate: Json): string | undefined {
  const run = objectIn(predicate, "runDetails");
  const definition = objectIn(predicate, "buildDefinition");
  if (run === undefined || definition === undefined) return "it has not the parts of its kind";
  const metadata = objectIn(run, "metadata");
  drop(metadata, "invocationId", "invocationID", "startedOn", "finishedOn");
  dropDetails(objectIn(metadata, "buildkit_metadata"));
  dropMapping(objectIn(objectIn(definition, "internalParameters"), "buildConfig"));
  return runIn(objectIn(run, "builder"));
}

/** Source: slsa.dev/spec/v0.2/provenance, "metadata": every field of it is optional. */
function rewriteV02(predicate: Json): string | undefined {
  if (objectIn(predicate, "builder") === undefined) return "it has not the parts of its kind";
  const metadata = objectIn(predicate, "metadata");
  drop(metadata, "buildInvocationID", "buildInvocationId", "buildStartedOn", "buildFinishedOn");
  dropDetails(objectIn(metadata, "https://mobyproject.org/buildkit@v1#metadata"));
  dropMapping(objectIn(predicate, "buildConfig"));
  return runIn(objectIn(predicate, "builder"));
}

/** What BuildKit adds to the metadata of either version with `mode=max`. */
function dropDetails(details: Json | undefined): void {
  drop(details, "layers");
  const infos = objectIn(details, "source")?.infos;
  if (!Array.isArray(infos)) return;
  for (const info of infos) if (isObject(info)) dropMapping(info);
}

function dropMapping(definition: Json | undefined): void {
  drop(definition, "digestMapping");
}

/** The name of the builder must be there; one that names the run is no builder's alone. */
function runIn(builder: Json | undefined): string | undefined {
  const id = String(builder?.id ?? "");
  return /\/(?:runs|jobs|pipelines|builds)\/\d+/.test(id)
    ? `its builder.id names this one run (${id})`
    : undefined;
}

/**
 * SPDX wants a time and a name for the document that no other has. The time becomes the image's,
 * and the name is made of the content, so that documents are called alike only where they are.
 * Source: SPDX 2.3, 6.5 and 6.9.
 */
function rewriteSpdx(document: Json, created: string | undefined): string | undefined {
  const creation = objectIn(document, "creationInfo");
  const { documentNamespace: namespace } = document;
  if (creation === undefined || typeof namespace !== "string") return "it is no SPDX document";
  if (created === undefined) return "the image says no time for it";
  creation.created = `${created.slice(0, 19)}Z`;
  const unique = /[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/i;
  if (!unique.test(namespace)) return undefined;
  const rest = { ...document, documentNamespace: namespace.replace(unique, "") };
  const digest = createHash("sha256").update(JSON.stringify(rest)).digest("hex");
  document.documentNamespace = namespace.replace(unique, uuidOf(digest));
  return undefined;
}

/** A UUID made of a digest. Source: RFC 9562, 5.8. */
function uuidOf(hex: string): string {
  const variant = ((Number.parseInt(hex.slice(16, 17), 16) & 0x3) | 0x8).toString(16);
  return [
    hex.slice(0, 8),
    hex.slice(8, 12),
    `8${hex.slice(13, 16)}`,
    `${variant}${hex.slice(17, 20)}`,
    hex.slice(20, 32),
  ].join("-");
}

/** The object that a text holds; undefined when a number in it would not survive being written again. */
function parseSafely(text: string): Json | undefined {
  let safe = true;
  try {
    const value: unknown = JSON.parse(text, (_, each: unknown) => {
      if (typeof each === "number" && Math.abs(each) > Number.MAX_SAFE_INTEGER) safe = false;
      return each;
    });
    return safe && isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function drop(object: Json | undefined, ...names: readonly string[]): void {
  if (object === undefined) return;
  for (const name of names) delete object[name];
}

function objectIn(object: Json | undefined, name: string): Json | undefined {
  const value = object?.[name];
  return isObject(value) ? value : undefined;
}

function isObject(value: unknown): value is Json {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
