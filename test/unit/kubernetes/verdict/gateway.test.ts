import { condition, object, verdictTable } from "./verdict-table.ts";

const gateway = (status: object) =>
  object("gateway.networking.k8s.io/v1", "Gateway", {
    spec: { gatewayClassName: "traefik" },
    status,
  });
const accepted = condition("Accepted", "True", "Accepted", "", 2);
const programmed = condition("Programmed", "True", "Programmed", "", 2);
const addresses = [{ type: "IPAddress", value: "10.0.0.1" }];
const listener = (...conditions: readonly object[]) => ({
  addresses,
  conditions: [accepted, programmed],
  listeners: [{ name: "https", conditions }],
});

verdictTable("a Gateway", [
  [
    "accepted, programmed, with an address",
    gateway({ conditions: [accepted, programmed], addresses }),
    "ready",
    "",
  ],
  [
    "without an address",
    gateway({ conditions: [accepted, programmed] }),
    "progressing",
    "it has no address yet",
  ],
  ["without a controller", gateway({}), "progressing", "no controller of class traefik has spoken"],
  [
    "as the API server makes it",
    gateway({
      conditions: [condition("Accepted", "Unknown", "Pending", "Waiting for controller")],
    }),
    "progressing",
    "Accepted is Unknown (Pending: Waiting for controller)",
  ],
  [
    "programmed at an older generation",
    gateway({
      conditions: [accepted, condition("Programmed", "True", "Programmed", "", 1)],
      addresses,
    }),
    "progressing",
    "not said of the newest change whether it is programmed",
  ],
  [
    "refused",
    gateway({ conditions: [condition("Accepted", "False", "InvalidParameters", "no such", 2)] }),
    "failing",
    "GatewayRefused; its controller refuses it: Accepted is False (InvalidParameters: no such)",
  ],
  [
    "waiting for its address",
    gateway({
      conditions: [accepted, condition("Programmed", "False", "AddressNotAssigned", "", 2)],
    }),
    "progressing",
    "AddressNotAssigned",
  ],
  [
    "with a listener whose certificate is missing",
    gateway(
      listener(
        condition("ResolvedRefs", "False", "InvalidCertificateRef", "secret tls not found", 2),
      ),
    ),
    "failing",
    "CertificateMissing; listener https: ResolvedRefs is False",
  ],
  [
    "with two listeners in conflict",
    gateway(listener(condition("Conflicted", "True", "HostnameConflict", "", 2))),
    "failing",
    "GatewayRefused; listener https: Conflicted is True (HostnameConflict)",
  ],
  [
    "with a listener's fault of an older generation",
    gateway(listener(condition("ResolvedRefs", "False", "InvalidCertificateRef", "", 1))),
    "ready",
    "",
  ],
]);
