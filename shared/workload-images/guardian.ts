import type { KubernetesObject } from "../kubernetes/index.ts";

interface Managed {
  readonly managedFields?: readonly { readonly manager?: string }[];
}

/**
 * Whatever else keeps an object as it has it written down, and will put back what is changed in the
 * cluster: Helm at its next upgrade, Argo CD, Flux and operators at their next look.
 */
export function guardianOf(object: KubernetesObject): string | undefined {
  const { annotations = {}, labels = {}, ownerReferences = [] } = object.metadata;
  const managers = (object.metadata as Managed).managedFields?.map(({ manager }) => manager) ?? [];
  const application = annotations["argocd.argoproj.io/tracking-id"]?.split(":")[0];
  if (application !== undefined || labels["argocd.argoproj.io/instance"] !== undefined) {
    const name = application ?? labels["argocd.argoproj.io/instance"];
    return `Argo CD keeps it (application ${name}): what is not in its repository is put back at the next sync`;
  }
  const flux = labels["kustomize.toolkit.fluxcd.io/name"] ?? labels["helm.toolkit.fluxcd.io/name"];
  if (flux !== undefined) {
    return `Flux keeps it (${flux}): what is not in its repository is put back at the next reconciliation`;
  }
  const release = annotations["meta.helm.sh/release-name"];
  if (release !== undefined) {
    return `it belongs to the Helm release ${release}, whose next upgrade or rollback sets the chart's image again`;
  }
  if (managers.includes("argocd-controller")) return "Argo CD keeps it, and may put it back";
  const owner = ownerReferences.find(({ controller }) => controller === true);
  if (owner === undefined) return undefined;
  return `${owner.kind} ${owner.name} makes it, and may put it back`;
}
