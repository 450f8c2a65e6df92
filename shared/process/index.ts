export { CommandFailed } from "./command-failed.ts";
export { type Command, type Completed, type Execution, execute } from "./execute.ts";
