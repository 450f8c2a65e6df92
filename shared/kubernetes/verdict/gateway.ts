import type { KubernetesObject } from "../object.ts";
import { type Condition, conditionOf } from "../workload.ts";
import { conditionProblem, conditionWords, isOutdated } from "./conditions.ts";
import type { Sight } from "./sight.ts";
import { type Assessment, type Problem, READY, underway } from "./verdict.ts";

interface Gateway extends KubernetesObject {
  readonly spec?: { readonly gatewayClassName?: string };
  readonly status?: {
    readonly addresses?: readonly { readonly value?: string }[];
    readonly conditions?: readonly Condition[];
    readonly listeners?: readonly {
      readonly name: string;
      readonly conditions?: readonly Condition[];
    }[];
  };
}

/** Reasons that only say that the work is not done. */
const UNDER_WAY = ["Pending", "AddressNotAssigned", "NoResources", "Waiting"];

/**
 * The verdict on a Gateway: accepted, programmed, and with an address, all at its newest
 * generation; every listener finds what it refers to.
 *
 * Source: sigs.k8s.io/gateway-api, apis/v1/gateway_types.go.
 */
export function assessGateway(object: KubernetesObject, sight: Sight): Assessment {
  const gateway: Gateway = object;
  const missing: string[] = [];
  const problems: Problem[] = [];
  for (const type of ["Accepted", "Programmed"]) {
    const found = conditionOf(gateway, type);
    if (found === undefined || isOutdated(found, gateway.metadata.generation)) {
      missing.push(unspoken(gateway, type));
    } else if (found.status !== "True") {
      missing.push(conditionWords(found));
      if (isRefusal(found)) problems.push(refusal(gateway, found, sight));
    }
    // Until its controller has accepted it, nothing else is worth telling.
    if (missing.length > 0) break;
  }
  for (const { name, conditions = [] } of gateway.status?.listeners ?? []) {
    const bad = conditions.filter((condition) => isBadListener(condition, gateway));
    missing.push(...bad.map((condition) => `listener ${name}: ${conditionWords(condition)}`));
    problems.push(...bad.map((one) => refusal(gateway, one, sight, `listener ${name}`)));
  }
  if (missing.length > 0) return underway(missing, { problems });
  const addresses = gateway.status?.addresses ?? [];
  return addresses.some(({ value }) => Boolean(value))
    ? READY
    : underway(["it has no address yet"]);
}

function unspoken({ spec, status }: Gateway, type: string): string {
  const other = (status?.conditions ?? []).length > 0;
  return other
    ? `its controller has not said of the newest change whether it is ${type.toLowerCase()}`
    : `no controller of class ${spec?.gatewayClassName} has spoken yet`;
}

/** `Unknown` and a few reasons mean that the controller is still at it. */
function isRefusal({ status, reason }: Condition): boolean {
  return status === "False" && !UNDER_WAY.includes(reason ?? "");
}

function isBadListener(condition: Condition, { metadata }: Gateway): boolean {
  if (isOutdated(condition, metadata.generation)) return false;
  const { type, status } = condition;
  if (type === "Conflicted") return status === "True";
  return (type === "Accepted" || type === "ResolvedRefs") && isRefusal(condition);
}

function refusal(
  gateway: Gateway,
  condition: Condition,
  sight: Sight,
  about = "its controller refuses it",
): Problem {
  const certificate = condition.reason === "InvalidCertificateRef";
  return conditionProblem(condition, {
    key: `gateway:${gateway.metadata.uid}:${about}`,
    reason: certificate ? "CertificateMissing" : "GatewayRefused",
    about,
    remedy: certificate
      ? "Create the Secret with the certificate that the listener names, and allow the Gateway to use it."
      : "Mend what the condition names; the controller looks again by itself.",
    // Who issues certificates may take minutes.
    grace: certificate ? Number.POSITIVE_INFINITY : sight.graces.reference,
  });
}
