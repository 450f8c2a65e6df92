export type { GateCheck, GateVerdict } from "./check.ts";
export { Gate, type Gated, type GateSettings } from "./gate.ts";
export type { GateImage } from "./gate-image.ts";
export type { ScanChoice } from "./scan-check.ts";
