export { type Clock, systemClock } from "./clock.ts";
export { type Log, silentLog } from "./log.ts";
export { withinTime } from "./time-limit.ts";
export type { World } from "./world.ts";
