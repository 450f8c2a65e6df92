import { benignDifferences } from "./benign.ts";
import { bucketFaults } from "./bucket-faults.ts";
import type { Case } from "./case.ts";
import { directoryFaults } from "./directory-faults.ts";
import { dumpFaults } from "./dump-faults.ts";
import { fileFaults } from "./file-faults.ts";
import { foreignBenign, foreignFaults } from "./foreign-faults.ts";
import { redisFaults } from "./redis-faults.ts";
import { sourceFaults } from "./source-faults.ts";

export { type Case, isRight, type Result } from "./case.ts";
export { runCases } from "./run.ts";
export { Scene } from "./scene.ts";

/** All faults and harmless differences. */
export const corpus: readonly Case[] = [
  ...fileFaults,
  ...foreignFaults,
  ...dumpFaults,
  ...sourceFaults,
  ...redisFaults,
  ...directoryFaults,
  ...bucketFaults,
  ...benignDifferences,
  ...foreignBenign,
];
