import { goModule } from "./build/go-module.ts";

const kubernetesVersion = "k8s.io/component-base/version";

/** Kubernetes with its cluster DNS: one module, so that they share what they compile. */
export const kubernetes = goModule({
  name: "kubernetes",
  programs: ["tool", "./coredns"],
  variables: {
    [`${kubernetesVersion}.gitVersion`]: { versionOf: "k8s.io/kubernetes" },
    [`${kubernetesVersion}.gitMajor`]: "1",
    [`${kubernetesVersion}.gitMinor`]: "34",
    [`${kubernetesVersion}.gitTreeState`]: "clean",
  },
  typical: { seconds: 400, packages: 2700 },
});

/** The first process of every pod. */
export const pause = goModule({
  name: "pause",
  programs: ["."],
  typical: { seconds: 2, packages: 5 },
});

export const buildkit = goModule({
  name: "buildkit",
  variables: {
    "github.com/moby/buildkit/version.Version": { versionOf: "github.com/moby/buildkit" },
  },
  typical: { seconds: 110, packages: 1100 },
});

/** What asks BuildKit, in its image, whether it is well. A module of its own, as it needs little. */
export const buildctl = goModule({
  name: "buildctl",
  variables: {
    "github.com/moby/buildkit/version.Version": { versionOf: "github.com/moby/buildkit" },
  },
  typical: { seconds: 30, packages: 700 },
});

export const buildx = goModule({
  name: "buildx",
  variables: {
    "github.com/docker/buildx/version.Version": { versionOf: "github.com/docker/buildx" },
  },
  typical: { seconds: 100, packages: 1000 },
});

export const helm = goModule({
  name: "helm",
  variables: { "helm.sh/helm/v4/internal/version.version": { versionOf: "helm.sh/helm/v4" } },
  typical: { seconds: 103, packages: 836 },
});

export const helm3 = goModule({
  name: "helm3",
  variables: { "helm.sh/helm/v3/internal/version.version": { versionOf: "helm.sh/helm/v3" } },
  typical: { seconds: 60, packages: 490 },
});

export const act = goModule({ name: "act", typical: { seconds: 18, packages: 317 } });
export const crane = goModule({ name: "crane", typical: { seconds: 4, packages: 47 } });
export const actionlint = goModule({ name: "actionlint", typical: { seconds: 8, packages: 20 } });

/** Signs images. */
export const cosign = goModule({
  name: "cosign",
  variables: {
    "sigs.k8s.io/release-utils/version.gitVersion": {
      versionOf: "github.com/sigstore/cosign/v3",
    },
  },
  typical: { seconds: 120, packages: 1000 },
});

/** Looks for known vulnerabilities, and what makes a database of made-up ones for it. */
export const grype = goModule({
  name: "grype",
  programs: ["tool", "./vulnerabilities"],
  variables: { "main.version": { versionOf: "github.com/anchore/grype" } },
  typical: { seconds: 150, packages: 1000 },
});

/** Encrypts files for who has a key, and makes keys. */
export const age = goModule({ name: "age", typical: { seconds: 10, packages: 100 } });

/** An object store. */
export const minio = goModule({ name: "minio", typical: { seconds: 150, packages: 1100 } });

/** Simulated nodes, with the stages that make its pods and nodes behave like ready ones. */
export const kwok = goModule({
  name: "kwok",
  files: [
    ["sigs.k8s.io/kwok", "kustomize/stage/node/fast/node-initialize.yaml", "node-initialize.yaml"],
    [
      "sigs.k8s.io/kwok",
      "kustomize/stage/node/heartbeat-with-lease/node-heartbeat-with-lease.yaml",
      "node-heartbeat.yaml",
    ],
    ["sigs.k8s.io/kwok", "kustomize/stage/pod/fast/pod-ready.yaml", "pod-ready.yaml"],
    ["sigs.k8s.io/kwok", "kustomize/stage/pod/fast/pod-complete.yaml", "pod-complete.yaml"],
    ["sigs.k8s.io/kwok", "kustomize/stage/pod/fast/pod-delete.yaml", "pod-delete.yaml"],
  ],
  typical: { seconds: 60, packages: 579 },
});
