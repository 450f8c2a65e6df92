import { constants } from "node:fs";
import { access } from "node:fs/promises";
import { delimiter, isAbsolute, join } from "node:path";
import { stripVTControlCharacters } from "node:util";
import { FormatError, UserError } from "../failure/index.ts";
import { CommandFailed, execute } from "../process/index.ts";
import type { Secrets } from "../secrets/index.ts";
import type { ScannedPlatform } from "./finding.ts";
import { grypeArguments, readGrype } from "./grype.ts";
import { readTrivy, trivyArguments } from "./trivy.ts";

export const SCANNERS = ["trivy", "grype"] as const;
export type ScannerName = (typeof SCANNERS)[number];

/** What running a scanner takes. */
export interface ScanExecution {
  /** For the scanner, beside that of this process: DOCKER_CONFIG and the like. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** A private folder to run it in, so that no settings of the workspace soften what it finds. */
  readonly folder: string;
  /** The longest that one scan may take, in milliseconds. */
  readonly timeout: number;
  readonly secrets: Secrets;
  readonly signal: AbortSignal;
}

/** One image for one platform: what is to be scanned. */
export interface ScanSubject {
  /** repository@digest, of the image or the index. */
  readonly image: string;
  readonly platform: string;
  /** The digests by which scanners tell what they scanned: of the manifest, of the configuration. */
  readonly digests: readonly string[];
}

const TOOLS = {
  trivy: { arguments: trivyArguments, read: readTrivy },
  grype: { arguments: grypeArguments, read: readGrype },
} as const;

/** The first scanner of those asked for that is on the PATH; undefined when none is. */
export async function findScanner(
  wanted: readonly ScannerName[],
  environment: Readonly<Record<string, string | undefined>>,
): Promise<ScannerName | undefined> {
  // An empty entry of the PATH is the working folder: the checkout, which anyone may write to.
  const folders = (environment.PATH ?? "").split(delimiter).filter(isAbsolute);
  for (const name of wanted) {
    const there = folders.map((folder) => access(join(folder, name), constants.X_OK));
    const found = await Promise.any(there).then(
      () => true,
      () => false,
    );
    if (found) return name;
  }
  return undefined;
}

/**
 * Has a scanner look at one platform of an image, as the registry holds it.
 *
 * @throws {UserError} when it does not come to a report on this very image: that is no pass.
 */
export async function scan(
  name: ScannerName,
  subject: ScanSubject,
  execution: ScanExecution,
): Promise<ScannedPlatform> {
  const tool = TOOLS[name];
  const { image, platform } = subject;
  const { environment, folder, timeout, secrets, signal } = execution;
  const command = {
    program: name,
    args: tool.arguments(image, platform),
    directory: folder,
    environment: {
      ...environment,
      // What it has to say of itself is not asked for here.
      GRYPE_CHECK_FOR_APP_UPDATE: "false",
      TRIVY_SKIP_VERSION_CHECK: "true",
      NO_COLOR: "1",
    },
  };
  try {
    const { stdout } = await execute(command, { signal, secrets, deadline: timeout });
    const scanned = tool.read(stdout);
    expectSubject(name, subject, scanned);
    return scanned;
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof CommandFailed) throw scanFailed(name, subject, error);
    if (error instanceof FormatError) throw unreadable(name, subject, error);
    throw error;
  }
}

function expectSubject(name: string, subject: ScanSubject, scanned: ScannedPlatform): void {
  if (scanned.subject === undefined || subject.digests.includes(scanned.subject)) return;
  throw new UserError({
    title: "The scanner looked at another image",
    cause: `${subject.image} (${subject.platform}): ${name} reports on ${scanned.subject}; the registry has ${subject.digests.join(" and ")}.`,
    remedy: `Look for a proxy or a cache of images before the registry, and clear that of ${name}.`,
  });
}

interface Advice {
  readonly words: RegExp;
  readonly remedy: string;
}

const ADVICE: readonly Advice[] = [
  {
    words:
      /database does not exist|failed to load vulnerability db|\bdb\b.*(?:download|update|error)|vulnerability database/i,
    remedy:
      "Let the scanner have its database: let it be downloaded by this runner, or restore it from a cache in a step before. A database that is too old is refused, too.",
  },
  {
    words: /UNAUTHORIZED|DENIED|\b401\b|\b403\b/,
    remedy: "Grant the account the right to pull: the scanner uses the step's own credentials.",
  },
  {
    words: /no space left/i,
    remedy: "Make room on the runner's disk: scanners unpack images and keep a database there.",
  },
];

function scanFailed(name: string, subject: ScanSubject, failed: CommandFailed): UserError {
  const words = lastWords(failed);
  const advice = ADVICE.find(({ words: pattern }) => pattern.test(failed.stderrTail));
  const why =
    failed.why === "deadline"
      ? `it did not end within ${describeSeconds(failed)}`
      : words || failed.message;
  return new UserError(
    {
      title: "The image could not be scanned",
      cause: `${subject.image} (${subject.platform}): ${name} came to no result: ${why}.`,
      remedy:
        failed.why === "deadline"
          ? "Raise the input scan-timeout, or look why the scanner hangs."
          : (advice?.remedy ?? `Run ${name} by hand on this image to see more.`),
      evidence: failed.stderrTail,
    },
    { reason: failed },
  );
}

function describeSeconds({ milliseconds }: CommandFailed): string {
  return `${Math.round(milliseconds / 1_000)} s`;
}

/** The scanner's last complaint. Colours are for people at a terminal. */
function lastWords({ why, stderrTail }: CommandFailed): string {
  if (why !== "exit") return "";
  const lines = stripVTControlCharacters(stderrTail)
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "");
  const from = lines.findLastIndex((line) => /\b(?:ERROR|FATAL)\b/.test(line));
  const last = lines.slice(from < 0 ? -1 : from).join(" ");
  return last.replace(/^.*?\b(?:ERROR|FATAL)\b\s*/, "").replace(/\.$/, "");
}

function unreadable(name: string, { image, platform }: ScanSubject, error: Error): UserError {
  return new UserError(
    {
      title: "The scanner's report cannot be read",
      cause: `${image} (${platform}): ${name} said that it was done, but ${error.message}.`,
      remedy: `Use a version of ${name} that is known, for instance by setup-tools; then run again.`,
    },
    { reason: error },
  );
}
