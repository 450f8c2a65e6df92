import { isDeepStrictEqual } from "node:util";
import {
  imagesOf,
  versionOf,
  type WorkloadHistory,
  type WorkloadRevision,
} from "../../shared/workload-history/index.ts";
import type { Candidate } from "./choose.ts";

/** A revision of a workload that may be gone back to. */
export interface WorkloadCandidate extends Candidate {
  readonly kept: WorkloadRevision;
}

/** The revisions of a workload as candidates, newest first. */
export function workloadCandidates({
  workload,
  revisions,
}: WorkloadHistory): readonly WorkloadCandidate[] {
  return revisions.map((kept) => ({
    kept,
    revision: kept.revision,
    formerly: kept.formerly,
    current: kept.current,
    same: kept.current || isDeepStrictEqual(kept.template, workload.spec.template),
    version: versionOf(kept.template),
    images: imagesOf(kept.template),
    ready: kept.ready,
    spoilt: kept.abandoned,
    details: [
      `made ${kept.createdAt}`,
      ...(kept.changeCause === undefined ? [] : [`change-cause: ${kept.changeCause}`]),
    ],
  }));
}
