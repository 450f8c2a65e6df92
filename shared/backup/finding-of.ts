import type { Finding } from "../proof/index.ts";
import type { BrokenPart } from "./broken-part.ts";

/** A part that is not what the manifest says, as a verification reports it. */
export function findingOf({ detector, file, what, expected, found }: BrokenPart): Finding {
  return { detector, tier: "integrity", weight: "damage", subject: file, what, expected, found };
}
