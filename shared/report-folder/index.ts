export { openReportFolder, type ReportFolder, writeMetrics } from "./report-folder.ts";
