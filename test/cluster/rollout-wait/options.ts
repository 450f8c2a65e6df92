import type { Options } from "../../../actions/rollout-wait/inputs.ts";
import type { Sandbox } from "../kubernetes/sandbox.ts";

/** What an action asks for that gives only these inputs. */
export function optionsOf(box: Sandbox, more: Partial<Options>): Options {
  return {
    resources: undefined,
    selector: undefined,
    all: false,
    manifests: undefined,
    release: undefined,
    conditions: undefined,
    namespace: box.namespace,
    kubeconfig: box.endpoints.kubeconfig,
    context: undefined,
    timeout: 60_000,
    restartsAllowed: 2,
    unschedulableGrace: 60_000,
    ...more,
  };
}
