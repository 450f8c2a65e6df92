export { type CommitTime, commitTime, parseSourceDateEpoch } from "./commit-time.ts";
export type { Circumstances } from "./expressions.ts";
export { type Flavor, readFlavor } from "./flavor.ts";
export { annotationsFor, type BuiltCommit, type ImageLabels, labelsFor } from "./labels.ts";
export { plainTag, type RuleProblem, readTagRules, type TagRule } from "./rule.ts";
export type { SourceEvent, SourceRepository } from "./source-event.ts";
export { type Tags, tagsFor } from "./tags.ts";
export { asLiteral } from "./template.ts";
