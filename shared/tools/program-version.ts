import { UserError } from "../failure/index.ts";
import { CommandFailed, execute } from "../process/index.ts";
import { parseVersion, type Version } from "../version/index.ts";
import type { World } from "../world/index.ts";

const LONGEST_MS = 30_000;

type Means = Pick<World, "signal" | "secrets">;

/** What a program says of its version. */
export type Answer =
  | { readonly version: Version }
  /** It could not be run, or said nothing of a version; why, completing "it ...". */
  | { readonly version: undefined; readonly why: string };

/** Runs a program to learn its version: the first one that it prints. */
export async function versionOf(
  program: string,
  args: readonly string[],
  { signal, secrets }: Means,
): Promise<Answer> {
  try {
    const environment = { HELM_DEBUG: undefined, TRIVY_DEBUG: undefined };
    const { stdout, stderr } = await execute(
      { program, args, environment },
      { signal, secrets, deadline: LONGEST_MS, keep: 16_384 },
    );
    const version = firstVersion(stdout) ?? firstVersion(stderr);
    if (version !== undefined) return { version };
    const said = secrets.redact(stdout).trim().split("\n")[0] ?? "";
    return { version: undefined, why: `prints no version: ${JSON.stringify(said.slice(0, 200))}` };
  } catch (error) {
    if (!(error instanceof CommandFailed)) throw error;
    if (error.why === "cancelled") throw signal.reason;
    return { version: undefined, why: whyNot(error) };
  }
}

/** The first text that reads as a version, also one of two numbers (`17.10`). */
export function firstVersion(text: string): Version | undefined {
  const found = /(?<![\w.])v?(\d+\.\d+(?:\.\d+)?(?:-[0-9A-Za-z.-]+)?(?:\+[\w.-]+)?)(?![\w.])/.exec(
    text,
  );
  return found?.[1] === undefined ? undefined : parseVersion(found[1]);
}

function whyNot({ message, stderrTail, why }: CommandFailed): string {
  if (/exec format error|ENOEXEC/i.test(`${message} ${stderrTail}`)) {
    return `is a program for another kind of machine than this one (${process.platform} ${process.arch})`;
  }
  const said = stderrTail.trim().split("\n").at(-1) ?? "";
  const words = why === "not-startable" ? "cannot be started" : "fails";
  return `${words}: ${message}${said === "" ? "" : ` (${said})`}`;
}

/**
 * Proves that an installed program is the version that it was installed as.
 *
 * @throws {UserError} when it cannot be run here, or is another version.
 */
export async function prove(
  program: string,
  args: readonly string[],
  expected: Version,
  means: Means,
): Promise<void> {
  const answer = await versionOf(program, args, means);
  const title = `${program} is not ${expected.text}`;
  const ran = `${[program, ...args].join(" ")}`;
  if (answer.version === undefined) {
    throw new UserError({
      title: `${program} does not run`,
      cause: `Its checksum is right, but \`${ran}\` ${answer.why}.`,
      remedy:
        "Where the runner's image lacks what the program needs (an Alpine image lacks glibc), use another image; else correct the table.",
    });
  }
  if (answer.version.text === expected.text || sameNumbers(answer.version, expected)) return;
  throw new UserError({
    title,
    cause: `\`${ran}\` says ${answer.version.text}, and the table has this file as ${expected.text}.`,
    remedy: "Correct the table: its checksum belongs to another version.",
  });
}

function sameNumbers(a: Version, b: Version): boolean {
  return a.preRelease === b.preRelease && a.numbers.every((number, at) => number === b.numbers[at]);
}
