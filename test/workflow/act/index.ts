export { type ActRequest, type ActResult, runWorkflow } from "./act.ts";
export type { ActEvent, Annotation } from "./events.ts";
export { makeWorkspace, type Workspace } from "./workspace.ts";
