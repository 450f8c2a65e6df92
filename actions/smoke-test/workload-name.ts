import { FormatError, nearestName } from "../../shared/failure/index.ts";

/** Where the pods of a check come from, as the key `workload` names it. */
export interface WorkloadName {
  readonly kind: "Deployment" | "StatefulSet" | "DaemonSet" | "Pod";
  readonly namespace: string | undefined;
  readonly name: string;
}

/** As kubectl writes them, short forms included. */
const KINDS: Readonly<Record<string, WorkloadName["kind"]>> = {
  deployment: "Deployment",
  deployments: "Deployment",
  deploy: "Deployment",
  statefulset: "StatefulSet",
  statefulsets: "StatefulSet",
  sts: "StatefulSet",
  daemonset: "DaemonSet",
  daemonsets: "DaemonSet",
  ds: "DaemonSet",
  pod: "Pod",
  pods: "Pod",
  po: "Pod",
};

const FORM = /^(?:(?<namespace>[a-z0-9-]+)\/)?(?<kind>[A-Za-z]+)\/(?<name>[a-z0-9][a-z0-9.-]*)$/;

/**
 * Reads `deployment/web`, `pod/web-0` or `namespace/deployment/web`.
 *
 * @throws {FormatError}
 */
export function readWorkload(text: string): WorkloadName {
  const groups = FORM.exec(text)?.groups;
  const { namespace, kind = "", name = "" } = groups ?? {};
  if (groups === undefined) throw new FormatError("it has another form than deployment/web");
  const found = KINDS[kind.toLowerCase()];
  if (found !== undefined) return { kind: found, namespace, name };
  const near = nearestName(kind, Object.keys(KINDS));
  const hint =
    near === undefined
      ? "known are deployment, statefulset, daemonset, pod"
      : `did you mean ${near}?`;
  throw new FormatError(`${JSON.stringify(kind)} is no kind that has pods; ${hint}`);
}
