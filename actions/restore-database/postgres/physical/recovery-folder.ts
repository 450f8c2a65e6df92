import type { Options } from "../../inputs.ts";

/**
 * The folder of this machine with the programs that recover and dump; undefined where they are to be
 * found. What was named for a pod is a folder of the pod's.
 */
export function recoveryFolder({
  recoveryBin,
  postgresBin,
  pod,
}: Pick<Options, "recoveryBin" | "postgresBin" | "pod">): string | undefined {
  return recoveryBin ?? (pod === undefined ? postgresBin : undefined);
}
