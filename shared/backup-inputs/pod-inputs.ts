import { type Inputs, type OptionsOf, text } from "../action/index.ts";

const NAMESPACE = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/;

/** The inputs that lead to a container of a cluster. */
export const podInputs = {
  pod: text(
    { accepts: "a pod's name, or a workload such as statefulset/db" },
    /^([a-z]+\/)?[a-z0-9]([a-z0-9.-]*[a-z0-9])?$/,
  ),
  namespace: text({ accepts: "a namespace's name" }, NAMESPACE),
  container: text({ accepts: "a container's name" }, NAMESPACE),
  kubeconfig: text({ accepts: "a kubeconfig's path, content, or content in base64" }),
  context: text({ accepts: "the name of a context of the kubeconfig" }),
} satisfies Inputs;

export type PodOptions = OptionsOf<typeof podInputs>;
