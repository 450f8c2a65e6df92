import { type ContentKey, changes, type KeyInputs } from "../../shared/content-key/index.ts";
import type { StoredImage } from "../../shared/registry/index.ts";

/** When a service is built: always, when the registry holds nothing under its content key, or when one of its tags is missing. */
export type Rebuild = "always" | "changed" | "missing";

/** What is known of a service before anything is built. */
export interface Known {
  /** Why it is to be built in any case, as a phrase; undefined when it is not. */
  readonly asked: string | undefined;
  /** Undefined when it could not be made out; `unknown` then says why. */
  readonly key: ContentKey | undefined;
  /** The image under the key in each of its places, proven whole; undefined when one lacks it. */
  readonly keyed: readonly StoredImage[] | undefined;
  /** Why the image under the key is of no use, as a sentence's end. */
  readonly flaw: string | undefined;
  /** The image that every tag asked for leads to already, in each place; undefined if there is none. */
  readonly tagged: readonly StoredImage[] | undefined;
  /** The image of an earlier run, to compare with. */
  readonly before: StoredImage | undefined;
  /** Of what `before` was made, where it says so. */
  readonly beforeInputs: KeyInputs | undefined;
  /** Why key or registry could not be asked. */
  readonly unknown: string | undefined;
}

/** What is done for a service, and why. */
export interface Decision {
  /** `reuse`: the image under the key is tagged; `keep`: what the tags lead to stays as it is. */
  readonly kind: "build" | "reuse" | "keep";
  /** Phrases for the log and the summary; at least one. */
  readonly why: readonly [string, ...string[]];
  /** The image to reuse or keep, in each of its places; none to be built. */
  readonly images: readonly StoredImage[];
}

/** Decides for one service. Pure. */
export function decide(known: Known, rebuild: Rebuild): Decision {
  if (rebuild === "always") return build("rebuild: always is asked for");
  const { key, keyed, tagged, asked } = known;
  if (asked !== undefined) return build(asked);
  if (rebuild === "missing" && tagged !== undefined) {
    return { kind: "keep", why: ["its tags are there already"], images: tagged };
  }
  if (known.unknown !== undefined || key === undefined) {
    return build(`not known whether it changed: ${known.unknown ?? "it has no key"}`);
  }
  const [unseen, ...others] = key.unseen;
  if (unseen !== undefined) return build(unseen, ...others);
  if (known.flaw !== undefined) return build(known.flaw);
  if (keyed !== undefined) {
    return { kind: "reuse", why: ["nothing that the build can see changed"], images: keyed };
  }
  if (known.before === undefined) return build("the registry has no image of it to compare with");
  if (known.beforeInputs === undefined) {
    return build("the image before does not say what it was made of");
  }
  const [first, ...more] = changes(known.beforeInputs, key.inputs);
  // The same inputs under another key: an image that was never released, or removed since.
  if (first === undefined) return build("the registry no longer has an image of this content");
  return build(first, ...more);
}

function build(first: string, ...others: readonly string[]): Decision {
  return { kind: "build", why: [first, ...others], images: [] };
}

/** Why an image under a content key cannot stand for a new build; undefined when it can. */
export function flawOf(
  image: StoredImage,
  wanted: {
    readonly key: string;
    readonly provenance: boolean;
    readonly sbom: boolean;
  },
): string | undefined {
  if (image.labels[KEY_LABEL] !== wanted.key) {
    return "the image under its key carries another key in its labels";
  }
  const has = (type: string) => image.attestations.some((each) => each.includes(type));
  if (wanted.provenance && !has("slsa.dev/provenance")) {
    return "the image under its key has no provenance";
  }
  if (wanted.sbom && !has("spdx") && !has("cyclonedx")) {
    return "the image under its key has no bill of materials";
  }
  return undefined;
}

/** The label that holds an image's content key. */
export const KEY_LABEL = "dev.seaworthy.key";
/** The label that holds what the key was made of. */
export const INPUTS_LABEL = "dev.seaworthy.inputs";

/** The tag under which an image is found by its content: a tag may have 128 characters. */
export function keyTag(key: string): string {
  return `key-${key.slice(0, 40)}`;
}
