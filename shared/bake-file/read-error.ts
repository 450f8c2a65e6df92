import { load, YAMLException } from "js-yaml";
import { type Place, UserError } from "../failure/index.ts";
import { isCompose } from "./compose.ts";
import type { ReadFile } from "./place.ts";
import { placeOfTarget } from "./place.ts";

const HCL = /(?:^|[\s:])([^\s:][^:\n]*):(\d+),\d+(?:-\d+(?:,\d+)?)?: ([^\n]*)/;

/**
 * The failure of buildx to read files of definitions, from its own words, with the line where
 * these or the files tell it.
 */
export function readError(stderr: string, files: readonly ReadFile[]): UserError {
  const said = lastError(stderr);
  const names = files.map(({ shown }) => shown).join(", ");
  const [, file = "", line, words] = HCL.exec(said) ?? [];
  const known = files.find(({ shown }) => isEndOf(file, shown) || isEndOf(shown, file));
  if (known !== undefined && words !== undefined) {
    return unreadable({ file: known.shown, line: Number(line) }, sentences(words), known);
  }
  const yaml = /yaml/i.test(said) ? yamlPlace(files) : undefined;
  if (yaml !== undefined) return unreadable(yaml.place, yaml.words, yaml.file);
  const missing = missingFor(said, names, files);
  if (missing !== undefined) return missing;
  return new UserError({
    title: `${names} cannot be read`,
    cause: `buildx says of ${names}: ${said || "nothing"}.`,
    remedy:
      "Correct it; `docker buildx bake --print` on your machine says the same. Nothing was built.",
    at: composePlace(said, files),
  });
}

/** Whether one path ends with the other: they are given from different folders. */
function isEndOf(path: string, end: string): boolean {
  return end !== "" && (path === end || path.endsWith(`/${end}`));
}

function unreadable(at: Place, words: string, file: ReadFile): UserError {
  return new UserError({
    title: `${at.file} cannot be read`,
    cause: `${at.file}:${at.line}: ${words.replace(/\.$/, "")}.`,
    remedy: "Correct the file; `docker buildx bake --print` shows what it says. Nothing was built.",
    evidence: excerpt(file.text, at.line),
    at,
  });
}

function excerpt(text: string, line: number): string {
  const lines = text.split(/\r?\n/);
  const first = Math.max(1, line - 2);
  return lines
    .slice(first - 1, line + 2)
    .map((each, index) => {
      const number = first + index;
      return `${number === line ? ">" : " "} ${String(number).padStart(4)} | ${each.slice(0, 200)}`;
    })
    .join("\n");
}

/** The error without the words that say no more than "it failed". */
export function lastError(stderr: string): string {
  const lines = stderr.split("\n");
  const at = lines.findLastIndex((line) => line.startsWith("ERROR: "));
  const text = at === -1 ? (lines.filter((line) => line.trim() !== "").at(-1) ?? "") : "";
  const said = at === -1 ? text : lines.slice(at).join(" ").slice("ERROR: ".length);
  return said.replace(/\s+/g, " ").trim().replace(/\.$/, "");
}

/** "Summary; Detail., and 2 other diagnostic(s)" as sentences. */
function sentences(words: string): string {
  return words
    .replace(/\.?, and (\d+) other diagnostic\(s\)$/, (_, more: string) => `; ${more} more below`)
    .replace(/; (?=[A-Z])/, ": ");
}

/** Where a compose file is no YAML; buildx names the line, but not the file. */
function yamlPlace(files: readonly ReadFile[]) {
  for (const file of files.filter(({ shown }) => isCompose(shown))) {
    try {
      load(file.text);
    } catch (error) {
      if (!(error instanceof YAMLException)) continue;
      const line = (error.mark?.line ?? 0) + 1;
      return { file, place: { file: file.shown, line }, words: error.reason };
    }
  }
  return undefined;
}

/** The service that a complaint like `services.api.build ...` is about. */
function composePlace(said: string, files: readonly ReadFile[]): Place | undefined {
  const [, service] = /services[.[]["']?([\w-]+)/.exec(said) ?? [];
  return service === undefined ? undefined : placeOfTarget(files, service);
}

/** What buildx looks for though nothing is built yet: files of secrets, and an agent of keys. */
function missingFor(
  said: string,
  names: string,
  files: readonly ReadFile[],
): UserError | undefined {
  if (/ssh agent socket|SSH_AUTH_SOCK/.test(said)) {
    return new UserError({
      title: "There is no agent for ssh",
      cause: `${names} wants the job's agent for ssh, and SSH_AUTH_SOCK is not set.`,
      remedy:
        "Start one in a step before, as webfactory/ssh-agent does, or take ssh out of the file.",
      at: placeOfWord(files, "ssh"),
    });
  }
  const [, file] = /failed to stat ([^:]+): .*no such file/.exec(said) ?? [];
  if (file === undefined) return undefined;
  return new UserError({
    title: "The file of a secret is not there",
    cause: `${names} takes a secret from the file ${file}, which is not there.`,
    remedy: `Make ${file} in a step before, or have the secret come from an environment variable.`,
    at: placeOfWord(files, file),
  });
}

/** The first line that has the word. */
export function placeOfWord(files: readonly ReadFile[], word: string): Place | undefined {
  for (const { shown, text } of files) {
    const at = text.split("\n").findIndex((line) => line.includes(word));
    if (word !== "" && at !== -1) return { file: shown, line: at + 1 };
  }
  return undefined;
}
