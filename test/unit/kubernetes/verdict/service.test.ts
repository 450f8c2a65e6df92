import { deployment, pod, WEB } from "../objects.ts";
import { object, verdictTable } from "./verdict-table.ts";

const service = (spec: object, status: object = {}) => object("v1", "Service", { spec, status });
const labels = { app: "web", tier: "front" };
const web = { selector: { app: "web" } };
const address = { loadBalancer: { ingress: [{ ip: "10.0.0.1" }] } };
const starting = { labels, status: {} };
const making = (replicas: number) => ({
  ...WEB,
  spec: { ...deployment({ replicas }, {}).spec, template: { metadata: { labels } } },
});
const agents = (desiredNumberScheduled: number) =>
  object("apps/v1", "DaemonSet", {
    spec: { selector: { matchLabels: { app: "web" } } },
    status: { desiredNumberScheduled },
  });

verdictTable("a Service", [
  ["with a ready pod", service(web), "ready", "", { pods: [pod({ labels })] }],
  [
    "with a pod that is not ready",
    service(web),
    "progressing",
    "its only pod is not ready",
    { pods: [pod(starting)] },
  ],
  [
    "with pods that are not ready",
    service(web),
    "progressing",
    "none of its 2 pods is ready",
    { pods: [pod(starting), pod({ ...starting, name: "b" })] },
  ],
  [
    "whose only ready pod is going",
    service(web),
    "progressing",
    "no pod matches its selector (app=web)",
    { pods: [pod({ labels, deleted: true })], others: { Deployment: [making(1)] } },
  ],
  [
    "whose pod ended",
    service(web),
    "progressing",
    "no pod matches",
    { pods: [pod({ labels, phase: "Succeeded" })], others: { Deployment: [making(1)] } },
  ],
  [
    "that publishes pods before they are ready",
    service({ ...web, publishNotReadyAddresses: true }),
    "ready",
    "",
    { pods: [pod(starting)] },
  ],
  [
    "whose workload is to make pods",
    service(web),
    "progressing",
    "no pod matches its selector (app=web)",
    { others: { Deployment: [making(2)] } },
  ],
  [
    "whose workload wants none",
    service(web),
    "ready",
    "its workloads want 0 pods",
    { others: { Deployment: [making(0)], DaemonSet: [agents(0)] } },
  ],
  [
    "of whose workloads one wants pods",
    service(web),
    "progressing",
    "no pod matches",
    { others: { Deployment: [making(0)], DaemonSet: [agents(1)] } },
  ],
  [
    "named, for which nothing makes pods",
    service({ selector: { app: "wbe" } }),
    "progressing",
    "(app=wbe), and no workload here makes such pods",
    { others: { Deployment: [making(1)] } },
  ],
  [
    "found, for which nothing makes pods",
    service({ selector: { app: "etcd" } }),
    "ready",
    "no workload here makes such pods",
    { incidental: true },
  ],
  [
    "where workloads may not be read",
    service(web),
    "progressing",
    "no pod matches its selector (app=web)",
    { forbidden: ["Deployment"] },
  ],
  [
    "found, where workloads may not be read",
    service(web),
    "ready",
    "not checked: no pod matches its selector (app=web); whether any workload makes such pods",
    { incidental: true, forbidden: ["Deployment"] },
  ],
  ["without a selector", service({}), "ready", "it selects no pods by itself"],
  ["that is an alias", service({ type: "ExternalName" }), "ready", "only another name"],
  [
    "of a load balancer without an address",
    service({ ...web, type: "LoadBalancer", clusterIP: "10.96.0.7" }),
    "progressing",
    "no address yet",
    { pods: [pod({ labels })] },
  ],
  [
    "of a load balancer with an address",
    service({ ...web, type: "LoadBalancer" }, address),
    "ready",
    "",
    { pods: [pod({ labels })] },
  ],
  [
    "of a load balancer with an address and no pods",
    service({ ...web, type: "LoadBalancer" }, address),
    "progressing",
    "no pod matches",
    { others: { Deployment: [making(1)] } },
  ],
]);
