/** A version that a git tag names, as patterns of rules see it. */
export interface TaggedVersion {
  /** As it was written. */
  readonly raw: string;
  /** In its normal form, without what registries' tags cannot hold. */
  readonly version: string;
  readonly major: string;
  readonly minor: string;
  readonly patch: string;
  /** Neither a pre-release nor, in Python's numbering, a development or post-release. */
  readonly final: boolean;
}

// Source: semver.org, "Is there a suggested regular expression". A `v` before it is common.
const SEMVER =
  /^v?(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(?:-((?:0|[1-9]\d*|\d*[a-zA-Z-][0-9a-zA-Z-]*)(?:\.(?:0|[1-9]\d*|\d*[a-zA-Z-][0-9a-zA-Z-]*))*))?(?:\+[0-9a-zA-Z-]+(?:\.[0-9a-zA-Z-]+)*)?$/;

/** Reads a semantic version; undefined when the text is none. Build metadata is left out. */
export function parseSemver(raw: string): TaggedVersion | undefined {
  const match = SEMVER.exec(raw);
  if (match === null) return undefined;
  const [, major = "", minor = "", patch = "", preRelease] = match;
  const numbers = `${major}.${minor}.${patch}`;
  const version = preRelease === undefined ? numbers : `${numbers}-${preRelease}`;
  return { raw, version, major, minor, patch, final: preRelease === undefined };
}

// Source: PEP 440, Appendix B.
const PEP440 =
  /^\s*v?(?:(\d+)!)?(\d+(?:\.\d+)*)(?:[-_.]?(alpha|a|beta|b|preview|pre|c|rc)[-_.]?(\d*))?(?:-(\d+)|[-_.]?(post|rev|r)[-_.]?(\d*))?(?:[-_.]?(dev)[-_.]?(\d*))?(?:\+([a-z0-9]+(?:[-_.][a-z0-9]+)*))?\s*$/i;

const PRE_RELEASES: Readonly<Record<string, string>> = {
  alpha: "a",
  beta: "b",
  preview: "rc",
  pre: "rc",
  c: "rc",
};

/** Reads a version of Python's numbering; undefined when the text is none. */
export function parsePep440(raw: string): TaggedVersion | undefined {
  const match = PEP440.exec(raw);
  if (match === null) return undefined;
  const [, epoch, release = "", pre, preNumber, bare, post, postNumber, dev, devNumber, local] =
    match;
  const numbers = release.split(".").map((number) => String(BigInt(number)));
  const normal = (number: string | undefined) => String(BigInt(number || "0"));
  const parts = [
    epoch === undefined || normal(epoch) === "0" ? "" : `${normal(epoch)}!`,
    numbers.join("."),
    pre === undefined
      ? ""
      : `${PRE_RELEASES[pre.toLowerCase()] ?? pre.toLowerCase()}${normal(preNumber)}`,
    bare === undefined && post === undefined ? "" : `.post${normal(bare ?? postNumber)}`,
    dev === undefined ? "" : `.dev${normal(devNumber)}`,
    local === undefined ? "" : `+${normalLocal(local)}`,
  ];
  const [major = "0", minor = "0", patch = "0"] = numbers;
  const final = [pre, bare, post, dev].every((part) => part === undefined);
  return { raw, version: parts.join(""), major, minor, patch, final };
}

function normalLocal(local: string): string {
  const parts = local.toLowerCase().split(/[-_.]/);
  return parts.map((part) => (/^\d+$/.test(part) ? String(BigInt(part)) : part)).join(".");
}
