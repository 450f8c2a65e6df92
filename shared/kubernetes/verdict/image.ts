import type { ContainerStatus, Pod } from "../workload.ts";
import { latestEvent, type Sight } from "./sight.ts";
import type { Problem } from "./verdict.ts";

/** States of a container whose image did not come. */
const IMAGE_REASONS = [
  "ErrImagePull",
  "ImagePullBackOff",
  "InvalidImageName",
  "ErrImageNeverPull",
  "ImageInspectError",
  "RegistryUnavailable",
  "SignatureValidationFailed",
];

/** Words of registries and runtimes for an image that is not there. */
const NOT_FOUND =
  /\bnot found\b|manifest unknown|name unknown|no such manifest|no match for platform|does not exist/i;
const DENIED =
  /pull access denied|insufficient_scope|authorization failed|unauthorized|denied: |\b40[13] (Unauthorized|Forbidden)|no basic auth credentials/i;
/** Words that a registry in trouble adds, whatever else it says. */
const IN_TROUBLE =
  /\b5\d\d\b|timeout|timed out|deadline exceeded|connection re(fused|set)|no such host|TLS|EOF|too many requests/i;

const PULL_FAILED = /^Failed to pull image "[^"]*": /;
const INVALID_NAME = /couldn't parse image name|invalid reference format/;

/** What keeps a container's image away, or undefined when nothing does. */
export function imageProblem(pod: Pod, status: ContainerStatus, sight: Sight): Problem | undefined {
  const trouble = troubleOf(pod, status, sight);
  if (trouble === undefined) return undefined;
  const { reason, words } = trouble;
  const image = status.image ?? "";
  const place = { pod: pod.metadata.name, container: status.name };
  const key = `image:${pod.metadata.uid}:${status.name}`;
  const where = `container "${status.name}" of pod ${place.pod}`;
  const kind = classify(reason, words);
  if (kind === "invalid") {
    return {
      ...place,
      key,
      reason: "ImageNameInvalid",
      message: `"${image}" is not a valid image name: ${where}: ${words}`,
      remedy: "Correct the image reference in the manifest or the chart's values.",
      grace: 0,
    };
  }
  if (kind === "absent") {
    return {
      ...place,
      key,
      reason: "ImageNotFound",
      message: `image ${image} not found: ${where}: ${words}`,
      remedy: "Push the image first, or correct the tag or digest: the registry has no such image.",
      grace: 0,
    };
  }
  if (kind === "denied") {
    return {
      ...place,
      key,
      reason: "ImagePullDenied",
      message: `the registry denies image ${image}: ${where}: ${words}`,
      remedy:
        "Give the pod an imagePullSecret that may read the repository, or correct its name: many " +
        "registries say this of repositories that do not exist.",
      grace: 0,
    };
  }
  return {
    ...place,
    key,
    reason: "ImagePull",
    message: `image ${image} cannot be pulled: ${where}: ${words}`,
    remedy: "Check that the node reaches the registry and that the registry is well.",
    grace: sight.graces.imagePull,
  };
}

interface Trouble {
  /** One of IMAGE_REASONS. */
  readonly reason: string;
  readonly words: string;
}

function troubleOf(pod: Pod, status: ContainerStatus, sight: Sight): Trouble | undefined {
  const { reason, message } = status.state?.waiting ?? {};
  if (reason === undefined) return undefined;
  if (IMAGE_REASONS.includes(reason)) {
    return { reason, words: ownWords(message) ?? eventWords(pod, status, sight) ?? reason };
  }
  // The kubelet tells of its first try by an event, and by the status up to seconds later. Once
  // the image is there, the container waits for something else or runs.
  return reason === "ContainerCreating" ? announced(pod, status, sight) : undefined;
}

function announced(pod: Pod, status: ContainerStatus, sight: Sight): Trouble | undefined {
  const event = sight
    .events(pod.metadata.uid)
    .findLast(
      ({ reason = "", message = "", involvedObject }) =>
        involvedObject.fieldPath?.endsWith(`{${status.name}}`) === true &&
        (reason === "ErrImageNeverPull" ||
          (reason === "InspectFailed" && INVALID_NAME.test(message)) ||
          (reason === "Failed" && PULL_FAILED.test(message))),
    );
  const { reason = "", message = "" } = event ?? {};
  if (event === undefined) return undefined;
  if (reason === "ErrImageNeverPull") return { reason, words: message };
  if (reason === "InspectFailed") return { reason: "InvalidImageName", words: message };
  return { reason: "ErrImagePull", words: shorten(message.replace(PULL_FAILED, "")) };
}

function classify(reason: string, words: string): "invalid" | "absent" | "denied" | "other" {
  if (reason === "InvalidImageName") return "invalid";
  if (reason === "ErrImageNeverPull") return "absent";
  // The reason comes last; what is before it quotes names, which may look like anything.
  const last = words.split(": ").at(-1) ?? "";
  if (DENIED.test(last)) return "denied";
  if (NOT_FOUND.test(last)) return "absent";
  if (IN_TROUBLE.test(last)) return "other";
  if (DENIED.test(words)) return "denied";
  return NOT_FOUND.test(words) ? "absent" : "other";
}

/** The kubelet's message without its own wrapping; nothing where it says only that it backs off. */
function ownWords(message: string | undefined): string | undefined {
  if (message === undefined) return undefined;
  const inner = message.replace(/^Back-off pulling image "[^"]*"(: )?/, "");
  const plain = inner.replace(/^\w+: /, (prefix) =>
    /^(Err|Image)\w+: /.test(prefix) ? "" : prefix,
  );
  return shorten(plain) || undefined;
}

function eventWords(pod: Pod, status: ContainerStatus, sight: Sight): string | undefined {
  const failed = sight
    .events(pod.metadata.uid)
    .findLast(
      ({ reason, message, involvedObject }) =>
        reason === "Failed" &&
        involvedObject.fieldPath?.includes(`{${status.name}}`) !== false &&
        PULL_FAILED.test(message ?? ""),
    );
  return failed?.message === undefined
    ? latestEvent(sight, pod.metadata.uid, ["InspectFailed"])?.message
    : shorten(failed.message.replace(PULL_FAILED, ""));
}

/** The runtime names the image up to three times on the way to the reason. */
function shorten(words: string): string {
  return words
    .replace(/^rpc error: code = \w+ desc = /, "")
    .replace(/^failed to pull and unpack image "[^"]*": /, "")
    .trim();
}
