import { run } from "../../shared/action/index.ts";
import { inputs, outputs } from "./inputs.ts";

await run({
  name: "verify-backup",
  inputs,
  outputs,
  useCase: async () => (await import("./verify-backup.ts")).verifyBackup,
});
