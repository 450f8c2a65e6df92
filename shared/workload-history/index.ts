export { type RevisedWorkload, readWorkloadHistory, type WorkloadHistory } from "./history.ts";
export { markAbandoned, type RollbackRecord, restoreTemplate } from "./restore.ts";
export { imagesOf, type PodTemplate, versionOf, type WorkloadRevision } from "./revision.ts";
