import { mkdir, open } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { describe, UserError } from "../../shared/failure/index.ts";
import { type JunitCase, junitDocument } from "../../shared/junit/index.ts";
import type { CheckReport, Report } from "./report.ts";

/** A file that was opened before the work, so that it cannot turn out later that it may not be. */
export interface JunitFile {
  readonly path: string;
  write(report: Report): Promise<void>;
}

/**
 * Opens the file for the JUnit report, with the folders on its way.
 *
 * @throws {UserError} when it cannot be written to.
 */
export async function openJunit(path: string, workspace: string): Promise<JunitFile> {
  const full = resolve(workspace, path);
  try {
    await mkdir(dirname(full), { recursive: true });
    const file = await open(full, "w");
    return {
      path: full,
      async write(report) {
        try {
          await file.writeFile(junitOf(report));
        } finally {
          await file.close();
        }
      },
    };
  } catch (error) {
    throw new UserError(
      {
        title: "The JUnit report cannot be written",
        cause: `${full} cannot be opened: ${describe(error)}.`,
        remedy: "Give the input junit the path of a file in the workspace; nothing was asked yet.",
      },
      { reason: error },
    );
  }
}

/** The report as JUnit XML: a suite for each target, a case for each check. */
export function junitOf({ checks, seconds }: Report): string {
  const suites = [...Map.groupBy(checks, ({ target }) => target)].map(([name, own]) => ({
    name,
    seconds: Math.max(0, ...own.map((check) => check.seconds)),
    cases: own.map(caseOf),
  }));
  return junitDocument("smoke-test", seconds, suites);
}

function caseOf(check: CheckReport): JunitCase {
  const { name, type, passed, attempts, reasons, excerpt } = check;
  const seconds = Math.max(0, check.seconds - check.from);
  const head = { name, className: `smoke-test.${type}`, seconds };
  if (passed) return head;
  const message = reasons.join("; ");
  // It was never tried: there was no time left, or the job was cancelled.
  if (attempts === 0) return { ...head, skipped: message };
  const words = [message, excerpt ?? ""].filter((part) => part !== "").join("\n\n");
  return { ...head, failure: { message, type: "smoke-test", words } };
}
