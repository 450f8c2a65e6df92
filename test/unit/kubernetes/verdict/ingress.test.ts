import { ago } from "../objects.ts";
import { object, verdictTable } from "./verdict-table.ts";

const ingress = (spec: object, points: readonly object[], seconds = 1) => ({
  ...object("networking.k8s.io/v1", "Ingress", {
    spec,
    status: { loadBalancer: { ingress: points } },
  }),
  metadata: { name: "web", namespace: "shop", uid: "u1", creationTimestamp: ago(seconds) },
});
const nginx = { ingressClassName: "nginx" };
const incidental = { incidental: true };

verdictTable("an Ingress", [
  ["with an address", ingress(nginx, [{ ip: "10.0.0.1" }]), "ready", ""],
  ["with a host name", ingress(nginx, [{ hostname: "lb.example.com" }]), "ready", ""],
  ["with an empty entry", ingress(nginx, [{}]), "progressing", "(its class is nginx)"],
  [
    "without an address",
    ingress(nginx, []),
    "progressing",
    "no controller has given it an address",
  ],
  ["without a class", ingress({}, []), "progressing", "it names no class"],
  ["named, without an address for long", ingress(nginx, [], 3_600), "progressing", "address"],
  ["found, without an address", ingress(nginx, []), "progressing", "address", incidental],
  [
    "found, without an address for long",
    ingress(nginx, [], 61),
    "ready",
    "not checked: no controller has given it an address",
    incidental,
  ],
]);
