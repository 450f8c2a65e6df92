import { writeFile } from "node:fs/promises";
import type { FaultResult } from "../result.ts";
import { page } from "./page.ts";

/** Writes the report as one file that needs nothing else. */
export async function writeReport(file: string, results: readonly FaultResult[]): Promise<void> {
  await writeFile(file, page(results, new Date()));
}
