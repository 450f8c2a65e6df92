import { run } from "../../shared/action/index.ts";
import { inputs, outputs } from "./inputs.ts";

await run({
  name: "rollback",
  inputs,
  outputs,
  useCase: async () => (await import("./rollback.ts")).rollback,
});
