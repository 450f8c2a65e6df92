import { run } from "../../shared/action/index.ts";
import { inputs, outputs } from "./inputs.ts";

await run({
  name: "restore-database",
  inputs,
  outputs,
  useCase: async () => (await import("./restore-database.ts")).restoreDatabase,
});
