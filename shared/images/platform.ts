import { nearestName } from "../failure/index.ts";

const PLATFORM = /^[a-z0-9]+\/[a-z0-9_]+(?:\/[a-z0-9.]+)?$/;

// Those of Go, by whose names the OCI image specification calls them ("Image Configuration").
const SYSTEMS = ["linux", "windows", "freebsd", "darwin", "wasi", "wasip1"];
const ARCHITECTURES = [
  ...["386", "amd64", "arm", "arm64", "loong64", "mips", "mips64", "mips64le", "mipsle", "ppc64"],
  ...["ppc64le", "riscv64", "s390x", "wasm"],
];

/**
 * What is wrong with a platform, of the form `os/architecture[/variant]`; undefined when nothing
 * is. Builders take any name, and push an image that no node ever runs.
 */
export function platformProblem(text: string): string | undefined {
  if (!PLATFORM.test(text)) return "write it as linux/amd64";
  const [os = "", architecture = ""] = text.split("/");
  if (!SYSTEMS.includes(os)) return unknown("system", os, SYSTEMS);
  const known = [...ARCHITECTURES, ...Object.keys(ALIASES)];
  if (known.includes(architecture)) return undefined;
  return unknown("architecture", architecture, ARCHITECTURES);
}

function unknown(kind: string, name: string, known: readonly string[]): string {
  const near = nearestName(name, known);
  const hint = near === undefined ? `known are ${known.join(", ")}` : `did you mean ${near}?`;
  return `there is no ${kind} ${name}; ${hint}`;
}

/**
 * One spelling for platforms that mean the same: `linux/arm64/v8` and `linux/arm64`,
 * `linux/x86_64` and `linux/amd64`. Source: containerd's platforms package, Normalize.
 */
export function normalPlatform(text: string): string {
  const [os = "", architecture = "", variant = ""] = text.split("/");
  const known = ALIASES[architecture] ?? architecture;
  const implied = known === "arm" ? variant || "v7" : variant;
  const kept = implied === DEFAULT_VARIANTS[known] ? "" : implied;
  return [os, known, kept].filter((part) => part !== "").join("/");
}

const ALIASES: Readonly<Record<string, string>> = {
  x86_64: "amd64",
  "x86-64": "amd64",
  aarch64: "arm64",
  armhf: "arm",
  i386: "386",
};

const DEFAULT_VARIANTS: Readonly<Record<string, string>> = { arm64: "v8", amd64: "v1" };
