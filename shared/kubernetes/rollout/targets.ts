import { nearestName, UserError } from "../../failure/index.ts";
import type { ObjectRef } from "../object.ts";

interface Kind {
  readonly apiVersion: string;
  readonly kind: string;
  readonly aliases: readonly string[];
}

const KINDS: readonly Kind[] = [
  { apiVersion: "apps/v1", kind: "Deployment", aliases: ["deploy", "deployments"] },
  { apiVersion: "apps/v1", kind: "StatefulSet", aliases: ["sts", "statefulsets"] },
  { apiVersion: "apps/v1", kind: "DaemonSet", aliases: ["ds", "daemonsets"] },
  { apiVersion: "apps/v1", kind: "ReplicaSet", aliases: ["rs", "replicasets"] },
  { apiVersion: "batch/v1", kind: "Job", aliases: ["jobs"] },
  { apiVersion: "batch/v1", kind: "CronJob", aliases: ["cj", "cronjobs"] },
  { apiVersion: "v1", kind: "Pod", aliases: ["po", "pods"] },
  { apiVersion: "v1", kind: "Service", aliases: ["svc", "services"] },
  {
    apiVersion: "v1",
    kind: "PersistentVolumeClaim",
    aliases: ["pvc", "persistentvolumeclaims"],
  },
];

/** Kind, version and group of a custom resource, as kubectl takes them: `Widget.v1.example.com`. */
const QUALIFIED = /^(?<kind>[A-Z][A-Za-z0-9]*)\.(?<version>v\d\w*)\.(?<group>[a-z0-9.-]+)$/;
const NAME = /^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$/;

/**
 * Reads `deployment/web`, `sts/db` or `Widget.v1.example.com/blue`.
 *
 * @throws {UserError} when it has another form or names no known kind.
 */
export function parseTarget(text: string, namespace?: string): ObjectRef {
  const [kind = "", name = "", ...rest] = text.split("/");
  if (kind === "" || rest.length > 0 || !NAME.test(name)) {
    throw new UserError({
      title: "No such form of resource",
      cause: `${JSON.stringify(text)} is not of the form kind/name.`,
      remedy: "Write it as kubectl does: deployment/web, statefulset/db, job/migrate.",
    });
  }
  return { ...kindOf(kind), namespace, name };
}

function kindOf(text: string): Pick<ObjectRef, "apiVersion" | "kind"> {
  const qualified = QUALIFIED.exec(text)?.groups;
  if (qualified?.kind !== undefined) {
    return { apiVersion: `${qualified.group}/${qualified.version}`, kind: qualified.kind };
  }
  const lower = text.toLowerCase().replace(/\.apps$|\.batch$/, "");
  const found = KINDS.find(
    ({ kind, aliases }) => kind.toLowerCase() === lower || aliases.includes(lower),
  );
  if (found !== undefined) return { apiVersion: found.apiVersion, kind: found.kind };
  const names = KINDS.map(({ kind }) => kind.toLowerCase());
  const near = nearestName(lower, names);
  throw new UserError({
    title: `No such kind: ${text}`,
    cause: `${JSON.stringify(text)} is no kind that is known here${near === undefined ? "" : `; did you mean ${near}?`}`,
    remedy: `Kinds are ${names.join(", ")}; write others in full: Widget.v1.example.com/name.`,
  });
}
