export { CommandFailed } from "./command-failed.ts";
export { type Completed, type Execution, execute } from "./execute.ts";
export { type Leashed, leash } from "./leash.ts";
export { type PrivateFolder, privateFolder } from "./private-folder.ts";
export type { Command } from "./start.ts";
export {
  type StreamingCommand,
  type StreamingEnd,
  type StreamingProgram,
  stream,
} from "./streaming.ts";
