import { bundleOf, runStep, type Setting, type Step } from "../../runner/index.ts";
import type { Sandbox } from "../kubernetes/sandbox.ts";

/** How the action is run in a namespace of the test bed, by a person who gives a reason. */
export function setting(box: Sandbox, inputs: Readonly<Record<string, string>>): Setting {
  const { kubeconfig, dockerConfig, bin } = box.endpoints;
  return {
    inputs: {
      kubeconfig,
      namespace: box.namespace,
      reason: "checkout fails",
      timeout: "60s",
      ...inputs,
    },
    environment: {
      GITHUB_ACTOR: "octocat",
      DOCKER_CONFIG: dockerConfig,
      PATH: `${bin}:${process.env.PATH}`,
    },
  };
}

/** Runs the action to its end. */
export function rollBack(box: Sandbox, inputs: Readonly<Record<string, string>>): Promise<Step> {
  return runStep(bundleOf("rollback"), setting(box, inputs));
}
