export { annotationOf, CONFIG, configAnnotation, withChecksums } from "./config-annotation.ts";
export type { ConfigKind, Declaration, Issue } from "./declaration.ts";
export type { ConfigObject } from "./job-config.ts";
export { type ParsedConfig, parseConfig } from "./parse-config.ts";
export { templatePathOf } from "./pod-references.ts";
export { readJobConfig } from "./read-config.ts";
export { secretsInConfig } from "./secrets-in.ts";
export { type SettledConfig, settleJobConfig } from "./settle.ts";
