import { ago } from "../objects.ts";
import { object, verdictTable } from "./verdict-table.ts";

const ingress = (spec: object, points: readonly object[], seconds = 1, annotations = {}) => ({
  ...object("networking.k8s.io/v1", "Ingress", {
    spec,
    status: { loadBalancer: { ingress: points } },
  }),
  metadata: {
    name: "web",
    namespace: "shop",
    uid: "u1",
    creationTimestamp: ago(seconds),
    annotations,
  },
});
const ingressClass = (name: string, isDefault: string) => ({
  ...object("networking.k8s.io/v1", "IngressClass"),
  metadata: { name, annotations: { "ingressclass.kubernetes.io/is-default-class": isDefault } },
});
const nginx = { ingressClassName: "nginx" };
const others = { IngressClass: [ingressClass("nginx", "false")] };
const byDefault = { IngressClass: [ingressClass("nginx", "true")] };
const found = { others, incidental: true };

verdictTable("an Ingress", [
  ["with an address", ingress(nginx, [{ ip: "10.0.0.1" }]), "ready", "", { others }],
  ["with a host name", ingress(nginx, [{ hostname: "lb.example.com" }]), "ready", "", { others }],
  ["with an empty entry", ingress(nginx, [{}]), "progressing", "it has no address", { others }],
  [
    "without an address",
    ingress(nginx, []),
    "progressing",
    "it has no address: its controller has given it none",
    { others },
  ],
  [
    "of a class that does not exist",
    ingress(nginx, []),
    "progressing",
    "there is no IngressClass nginx",
  ],
  [
    "without a class",
    ingress({}, []),
    "progressing",
    "it names no class, and none is the default",
    { others },
  ],
  [
    "of the default class",
    ingress({}, []),
    "progressing",
    "its controller has given it none",
    { others: byDefault },
  ],
  ["without an address for long", ingress(nginx, [], 3_600), "progressing", "address", { others }],
  ["found, without an address", ingress(nginx, []), "progressing", "address", found],
  [
    "found, without an address for long",
    ingress(nginx, [], 61),
    "ready",
    "not checked whether it is served: it has no address",
    found,
  ],
  [
    "found, of a class that does not exist",
    ingress({ ingressClassName: "traefik" }, []),
    "ready",
    "there is no IngressClass traefik",
    found,
  ],
  [
    "found, of a class by its annotation",
    ingress({}, [], 1, { "kubernetes.io/ingress.class": "traefik" }),
    "progressing",
    "its controller has given it none",
    found,
  ],
  [
    "found, where classes may not be read",
    ingress(nginx, []),
    "progressing",
    "its controller has given it none",
    { incidental: true, forbidden: ["IngressClass"] },
  ],
]);
