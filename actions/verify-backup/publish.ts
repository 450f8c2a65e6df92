import { recordVerification, type Signer } from "../../shared/backup/index.ts";
import { UserError } from "../../shared/failure/index.ts";
import { metrics, type Verification } from "../../shared/proof/index.ts";
import { type ReportFolder, writeMetrics } from "../../shared/report-folder/index.ts";
import type { Storage } from "../../shared/storage/index.ts";
import type { World } from "../../shared/world/index.ts";
import type { Options } from "./inputs.ts";
import { pushMetrics } from "./pushgateway.ts";
import type { Subject } from "./subject.ts";

/** Where a report goes, and who signs it. */
export interface Publishing {
  readonly folder: ReportFolder;
  readonly signer: Signer | undefined;
  readonly storage: Storage;
  readonly subject: Subject;
  readonly options: Options;
}

/** What became of a report. */
export interface Published {
  /** The JSON file's path. */
  readonly file: string;
  readonly sha256: string;
  /** Of the places that it should be told at, those that did not take it. */
  readonly failures: readonly UserError[];
}

/**
 * Puts the report where people, programs and the next verification look for it. That one place does
 * not take it keeps it from no other: what was found stays found.
 *
 * @throws {UserError} when the report's own folder cannot be written to.
 */
export async function publish(
  verification: Verification,
  { folder, signer, storage, subject, options }: Publishing,
  world: World,
): Promise<Published> {
  const { metricsFile, pushgateway, record } = options;
  const workspace = world.environment.GITHUB_WORKSPACE ?? process.cwd();
  const report = await folder.write(verification, signer);
  const text = metrics(verification);
  await folder.add("metrics.prom", text);
  const failures: UserError[] = [];
  const attempt = async (telling: () => Promise<unknown>) => {
    try {
      await telling();
    } catch (error) {
      world.signal.throwIfAborted();
      if (!(error instanceof UserError)) throw error;
      failures.push(error);
    }
  };
  if (record && subject.form !== "foreign") {
    const { folder: beside } = subject.listed;
    await attempt(() => recordVerification(storage, beside, verification, signer, world));
  }
  if (metricsFile !== undefined) await attempt(() => writeMetrics(metricsFile, workspace, text));
  if (pushgateway !== undefined) {
    await attempt(() => pushMetrics(pushgateway, verification.name, text, world));
  }
  return { ...report, failures };
}
