import { admission } from "./broken/admission.ts";
import { configuration } from "./broken/configuration.ts";
import { crashes } from "./broken/crashes.ts";
import { images } from "./broken/images.ts";
import { probes } from "./broken/probes.ts";
import { scheduling } from "./broken/scheduling.ts";
import { starts } from "./broken/starts.ts";
import { workloads } from "./broken/workloads.ts";
import type { BrokenCase, HealthyCase } from "./case.ts";
import { late } from "./healthy/late.ts";
import { slow } from "./healthy/slow.ts";

export type { BrokenCase, HealthyCase } from "./case.ts";
export { eachOf } from "./pool.ts";
export { type Grounds, openGrounds, Scene } from "./scene.ts";

/** Rollouts that can never succeed. */
export const broken: readonly BrokenCase[] = [
  ...images,
  ...configuration,
  ...starts,
  ...crashes,
  ...probes,
  ...scheduling,
  ...admission,
  ...workloads,
];

/** Whether SEAWORTHY_CORPUS names the case, or part of its name; all are chosen without it. */
export function isChosen({ name }: HealthyCase): boolean {
  return name.includes(process.env.SEAWORTHY_CORPUS ?? "");
}

/** Rollouts that only look bad on the way. */
export const healthy: readonly HealthyCase[] = [...late, ...slow];
