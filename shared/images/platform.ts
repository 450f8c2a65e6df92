const PLATFORM = /^[a-z0-9]+\/[a-z0-9_]+(?:\/[a-z0-9.]+)?$/;

/** Whether the text has the form `os/architecture[/variant]`. */
export function isPlatform(text: string): boolean {
  return PLATFORM.test(text);
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
