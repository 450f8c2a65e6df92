import { run } from "../../shared/action/index.ts";
import { inputs, outputs } from "./inputs.ts";

await run({
  name: "backup-database",
  inputs,
  outputs,
  useCase: async () => (await import("./backup-database.ts")).backupDatabase,
});
