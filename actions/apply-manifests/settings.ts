import type { DeploySettings } from "../../shared/apply-set/index.ts";
import { minimumOf } from "../../shared/availability/index.ts";
import type { Options } from "./inputs.ts";

/** How the set is deployed, as the inputs say it. */
export function settingsOf(options: Options): DeploySettings {
  return {
    fieldManager: options.fieldManager,
    forceConflicts: options.forceConflicts,
    recreate: options.recreate,
    unknownFields: options.fieldValidation === "warn" ? "leave-out" : "refuse",
    createNamespace: options.createNamespace,
    otherNamespaces: options.otherNamespaces,
    prune: {
      by: pruneBy(options),
      selector: options.pruneSelector,
      most: options.pruneLimit,
      alsoKinds: options.pruneAlso,
    },
    timeout: options.timeout,
    restartsAllowed: options.restartsAllowed,
    onFailure: options.onFailure,
    minimum: minimumOf(options.minimumAvailable ?? ""),
    keepRevisions: options.history,
    version: options.version,
  };
}

/** A run that names no manifests says nothing about which are gone. */
function pruneBy(options: Options): DeploySettings["prune"]["by"] {
  const describes = options.manifests !== undefined || options.content !== undefined;
  if (!options.prune || !describes) return "nothing";
  return options.pruneSelector === undefined ? "set" : "selector";
}
