export { type IgnoreEntry, type IgnoreProblem, parseIgnoreList } from "./ignore-list.ts";
export { type JudgedFindings, type ScanRules, unusedEntries } from "./judge-findings.ts";
export { type ScanReport, type ScanTarget, scanFailure, scanImage } from "./scan-image.ts";
export { findScanner, SCANNERS, type ScanExecution, type ScannerName } from "./scanner.ts";
