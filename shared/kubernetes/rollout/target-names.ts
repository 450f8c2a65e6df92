import { nameOf } from "../object.ts";
import { groupOf } from "../resource.ts";
import type { Target } from "./target.ts";

/**
 * What each target is called: `deployment/web`; where several would be called the same, with their
 * namespace, `shop/deployment/web`, and where that is not enough, with their group:
 * `shop/widget.example.com/blue`. All of these can be written as names of targets, too.
 */
export function targetNames(targets: readonly Target[]): ReadonlyMap<Target, string> {
  const forms = [nameOf, withNamespace, withGroup];
  const names = new Map<Target, string>();
  let unnamed = targets;
  for (const form of forms) {
    const groups = Map.groupBy(unnamed, form);
    for (const [name, same] of groups) {
      const [only] = same;
      if (only !== undefined && (same.length === 1 || form === withGroup)) {
        for (const target of same) names.set(target, name);
      }
    }
    unnamed = unnamed.filter((target) => !names.has(target));
  }
  return names;
}

function withNamespace(target: Target): string {
  const { namespace } = target;
  return namespace === undefined ? nameOf(target) : `${namespace}/${nameOf(target)}`;
}

function withGroup({ apiVersion, kind, namespace, name }: Target): string {
  const group = groupOf(apiVersion);
  const full = group === "" ? kind : `${kind}.${group}`;
  return withNamespace({ apiVersion, kind: full, namespace, name });
}
