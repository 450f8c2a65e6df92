export { type Minimum, minimumOf } from "./minimum.ts";
export type { AvailabilityReport, ServiceAvailability } from "./report.ts";
export { sentence } from "./sentence.ts";
export { type AvailabilityWatch, type Served, watchAvailability } from "./watch.ts";
