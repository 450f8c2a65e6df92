import { run } from "../../shared/action/index.ts";
import { inputs, outputs } from "./inputs.ts";

await run({
  name: "smoke-test",
  inputs,
  outputs,
  useCase: async () => (await import("./smoke-test.ts")).smokeTest,
});
