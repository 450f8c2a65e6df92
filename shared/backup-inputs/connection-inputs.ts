import { type Inputs, type OptionsOf, text } from "../action/index.ts";
import type { ConnectionSettings } from "../postgres/index.ts";
import type { PodOptions } from "./pod-inputs.ts";

/** The inputs that lead to a database, beside its address and those that lead to a pod. */
export const connectionInputs = {
  user: text({ accepts: "a user's name" }),
  password: text({ secret: true, accepts: "that user's password" }),
  database: text({ accepts: "a database's name" }),
  service: text({ accepts: "the name of a connection service" }, /^[^\s/]+$/),
  "service-file": text({ accepts: "the path of a connection service file" }),
} satisfies Inputs;

export type ConnectionOptions = OptionsOf<typeof connectionInputs>;

/** The pod that the inputs name, and how its cluster is reached; undefined where they name none. */
export function podSettings({ pod, namespace, container, kubeconfig, context }: PodOptions) {
  return pod === undefined ? undefined : { target: pod, namespace, container, kubeconfig, context };
}

/** How PostgreSQL is reached, by its address or by what the other inputs say. */
export function connectionSettings(
  url: string | undefined,
  options: ConnectionOptions & PodOptions,
): ConnectionSettings {
  const { service, serviceFile, database, user, password } = options;
  return { url, service, serviceFile, pod: podSettings(options), database, user, password };
}
