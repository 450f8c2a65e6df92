import { configuration } from "./broken/configuration.ts";
import { crashes } from "./broken/crashes.ts";
import { images } from "./broken/images.ts";
import type { BrokenCase, HealthyCase } from "./case.ts";
import { late } from "./healthy/late.ts";

export type { BrokenCase, HealthyCase } from "./case.ts";
export { eachOf } from "./pool.ts";
export { type Grounds, openGrounds, Scene } from "./scene.ts";

/** Rollouts that can never succeed. */
export const broken: readonly BrokenCase[] = [...images, ...configuration, ...crashes];

/** Rollouts that only look bad on the way. */
export const healthy: readonly HealthyCase[] = [...late];
