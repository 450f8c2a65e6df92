import type { KubernetesObject } from "../object.ts";
import { type AnyObject, conditionOf } from "../workload.ts";
import { conditionProblem, conditionWords } from "./conditions.ts";
import { type Assessment, READY, underway } from "./verdict.ts";

/**
 * The verdict on a CustomResourceDefinition: its kind is served once it is Established.
 * Source: k8s.io/apiextensions-apiserver, pkg/apis/apiextensions/v1/types.go.
 */
export function assessDefinition(object: KubernetesObject): Assessment {
  const definition: AnyObject = object;
  const names = conditionOf(definition, "NamesAccepted");
  if (names?.status === "False") {
    const refused = conditionProblem(names, {
      key: `names:${object.metadata.uid}`,
      reason: "NamesNotAccepted",
      about: "the names of the definition are taken",
      remedy: "Rename its kind, plural or short names, or remove the definition that holds them.",
      grace: 0,
    });
    return underway(["its names are not accepted"], { problems: [refused] });
  }
  const terminating = conditionOf(definition, "Terminating");
  if (terminating?.status === "True") return underway(["it is being deleted"]);
  const established = conditionOf(definition, "Established");
  if (established?.status === "True") return READY;
  return underway([
    established === undefined ? "it is not established yet" : conditionWords(established),
  ]);
}
