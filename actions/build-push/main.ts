import { run } from "../../shared/action/index.ts";
import { inputs, outputs } from "./inputs.ts";

await run({
  name: "build-push",
  inputs,
  outputs,
  useCase: async () => (await import("./build-push.ts")).buildPush,
});
