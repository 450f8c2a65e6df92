export type { Examination, ExaminationPhase, Finding, Item, Tier, Weight } from "./finding.ts";
export { findingInWords } from "./finding-words.ts";
export { junit } from "./junit.ts";
export { metrics } from "./metrics.ts";
export { type Measured, type Outlook, outlook } from "./outlook.ts";
export { verificationPage } from "./page.ts";
export { recoveryTime } from "./recovery-time.ts";
export { headlineOf, verificationSummary } from "./summary.ts";
export { byWeight, holds, verdictOf } from "./verdict.ts";
export type {
  Evidence,
  Objectives,
  TrendPoint,
  Verification,
  VerificationPhase,
} from "./verification.ts";
