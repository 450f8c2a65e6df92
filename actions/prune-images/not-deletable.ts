import { UserError } from "../../shared/failure/index.ts";

/** A registry that deletes nothing, or not for us: there is no use in trying the next. */
export class NotDeletable extends UserError {}

/** Whether a registry is known to delete nothing, whoever asks. */
export function hasNoDeletion(host: string): boolean {
  return INSTEAD[host] !== undefined;
}

/** The failure of a registry whose protocol has no deletion; it says what to use in its place. */
export function notSupported(host: string, name: string): NotDeletable {
  return new NotDeletable({
    title: `The registry ${host} deletes nothing`,
    cause: `${name}: it does not support the deletion of manifests.`,
    remedy: INSTEAD[host] ?? OTHERS,
  });
}

const OTHERS =
  "Where the registry is your own, allow it (Docker's registry: REGISTRY_STORAGE_DELETE_ENABLED=true); else use its own clean-up.";
const INSTEAD: Readonly<Record<string, string>> = {
  "docker.io":
    "Delete images on Docker Hub's web site or by its API; its registry has no deletion.",
  "public.ecr.aws": "Use `aws ecr-public batch-delete-image`, or its console.",
};
