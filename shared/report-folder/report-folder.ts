import { createHash } from "node:crypto";
import { mkdir, rename, writeFile } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import type { Signer } from "../backup/index.ts";
import { describe, UserError } from "../failure/index.ts";
import { junit, type Verification, verificationPage } from "../proof/index.ts";

/** The folder for the report, made before the work, so that it cannot turn out later that it may not be. */
export interface ReportFolder {
  readonly path: string;
  /** Writes the report in all its forms, and its signature; gives the JSON's path and SHA-256. */
  write(
    verification: Verification,
    signer: Signer | undefined,
  ): Promise<{ readonly file: string; readonly sha256: string }>;
  /** Writes a further file, such as a signature. */
  add(name: string, content: string | Buffer): Promise<void>;
}

/**
 * Makes the folder for the report.
 *
 * @throws {UserError} when it cannot be made.
 */
export async function openReportFolder(path: string, workspace: string): Promise<ReportFolder> {
  const folder = resolve(workspace, path);
  try {
    await mkdir(folder, { recursive: true });
  } catch (error) {
    throw unwritable(folder, error);
  }
  const add = async (name: string, content: string | Buffer) => {
    try {
      await writeFile(join(folder, name), content);
    } catch (error) {
      throw unwritable(join(folder, name), error);
    }
  };
  return {
    path: folder,
    add,
    async write(verification, signer) {
      const json = `${JSON.stringify(verification, null, 2)}\n`;
      await add("report.json", json);
      await add("report.html", verificationPage(verification));
      await add("junit.xml", junit(verification));
      if (signer !== undefined) {
        const signature = signer.sign(Buffer.from(json));
        await add("report.json.sig", signature);
      }
      const sha256 = createHash("sha256").update(json).digest("hex");
      return { file: join(folder, "report.json"), sha256 };
    },
  };
}

/**
 * Puts the metrics where a textfile collector reads them, whole or not at all: it may read at any time.
 *
 * @throws {UserError} when the file cannot be written.
 */
export async function writeMetrics(path: string, workspace: string, text: string): Promise<void> {
  const file = resolve(workspace, path);
  // The collector reads what ends in .prom only.
  const draft = `${file}.${process.pid}.tmp`;
  try {
    await mkdir(dirname(file), { recursive: true });
    await writeFile(draft, text, { mode: 0o644 });
    await rename(draft, file);
  } catch (error) {
    throw unwritable(file, error);
  }
}

function unwritable(path: string, error: unknown): UserError {
  return new UserError(
    {
      title: "The report cannot be written",
      cause: `${path} cannot be written: ${describe(error)}.`,
      remedy: "Give report and metrics-file paths that the job may write to.",
    },
    { reason: error },
  );
}
