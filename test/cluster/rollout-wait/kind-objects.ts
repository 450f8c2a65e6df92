import type { KubernetesObject } from "../../../shared/kubernetes/index.ts";

/** Objects of the kinds that are waited for beside workloads, as small as they can be. */

export function autoscaler(namespace: string, name: string, target: string): KubernetesObject {
  const resource = { name: "cpu", target: { type: "Utilization", averageUtilization: 50 } };
  return make("autoscaling/v2", "HorizontalPodAutoscaler", namespace, name, {
    spec: {
      scaleTargetRef: { apiVersion: "apps/v1", kind: "Deployment", name: target },
      minReplicas: 1,
      maxReplicas: 3,
      metrics: [{ type: "Resource", resource }],
    },
  });
}

export function budget(
  namespace: string,
  name: string,
  app: string,
  minAvailable: number | string,
): KubernetesObject {
  return make("policy/v1", "PodDisruptionBudget", namespace, name, {
    spec: { minAvailable, selector: { matchLabels: { app } } },
  });
}

export function service(namespace: string, name: string, spec: object): KubernetesObject {
  return make("v1", "Service", namespace, name, { spec: { ports: [{ port: 80 }], ...spec } });
}

export function claim(namespace: string, name: string, storageClassName: string): KubernetesObject {
  return make("v1", "PersistentVolumeClaim", namespace, name, {
    spec: {
      accessModes: ["ReadWriteOnce"],
      storageClassName,
      resources: { requests: { storage: "1Mi" } },
    },
  });
}

export function storageClass(name: string, volumeBindingMode: string): KubernetesObject {
  return {
    apiVersion: "storage.k8s.io/v1",
    kind: "StorageClass",
    metadata: { name },
    provisioner: "example.com/none",
    volumeBindingMode,
  } as KubernetesObject;
}

/** A definition whose objects have any fields, and a status that only its subresource writes. */
export function definition(
  group: string,
  plural: string,
  kind: string,
  more: { readonly version?: string; readonly scope?: string } = {},
): KubernetesObject {
  const { version = "v1", scope = "Namespaced" } = more;
  const any = { type: "object", "x-kubernetes-preserve-unknown-fields": true };
  return {
    apiVersion: "apiextensions.k8s.io/v1",
    kind: "CustomResourceDefinition",
    metadata: {
      name: `${plural}.${group}`,
      // Groups of Kubernetes itself want a word of their reviewers.
      annotations: { "api-approved.kubernetes.io": "unapproved, for a test" },
    },
    spec: {
      group,
      scope,
      names: { plural, singular: kind.toLowerCase(), kind },
      versions: [
        {
          name: version,
          served: true,
          storage: true,
          subresources: { status: {} },
          schema: { openAPIV3Schema: any },
        },
      ],
    },
  } as KubernetesObject;
}

export function make(
  apiVersion: string,
  kind: string,
  namespace: string,
  name: string,
  rest: object = {},
): KubernetesObject {
  return { apiVersion, kind, metadata: { name, namespace }, ...rest };
}
