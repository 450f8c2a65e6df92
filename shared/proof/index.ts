export type { Examination, Finding, Item, Tier, Weight } from "./finding.ts";
