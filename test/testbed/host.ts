import { access, constants } from "node:fs/promises";
import { delimiter, join } from "node:path";
import { TestbedError } from "./configuration.ts";
import { external } from "./endpoints.ts";
import { isServer, type Piece } from "./piece.ts";

/** Programs that every Debian and Ubuntu has, and the packages with them for who removed them. */
const required: Readonly<Record<string, string>> = {
  ip: "iproute2",
  unshare: "util-linux",
  nsenter: "util-linux",
  flock: "util-linux",
  mount: "mount",
  openssl: "openssl",
  tar: "tar",
  "apt-get": "apt",
  "dpkg-deb": "dpkg",
};

/** Makes sure that this machine can host these pieces, or says why not and what to do. */
export async function checkHost(pieces: readonly Piece[]): Promise<void> {
  const problems: string[] = [];
  if (process.platform !== "linux") {
    problems.push(`it needs Linux, and this is ${process.platform}: use a Linux machine or VM.`);
  } else if (pieces.some(isServer)) {
    if (process.getuid?.() !== 0) {
      problems.push(
        "its servers need root, for network namespaces, mounts and containers: run it as root, " +
          'for example by `sudo env "PATH=$PATH" npm run testbed -- up`.',
      );
    }
    for (const [program, name] of Object.entries(required)) {
      if (!(await isOnPath(program))) {
        problems.push(`it needs ${program}: install the package ${name}.`);
      }
    }
  }
  if (problems.length === 0) return;
  throw new TestbedError(
    `This machine cannot host the test bed:\n${problems.map((text) => `- ${text}`).join("\n")}\n` +
      "Or use servers of yours, by naming them in the environment: " +
      `${Object.values(external).join(", ")} (see docs/testbed.md).`,
  );
}

async function isOnPath(program: string): Promise<boolean> {
  const folders = [...(process.env.PATH ?? "").split(delimiter), "/usr/sbin", "/sbin"];
  for (const folder of folders) {
    const found = await access(join(folder, program), constants.X_OK).then(
      () => true,
      () => false,
    );
    if (found) return true;
  }
  return false;
}
