import { mkdir, readFile, rename, rm, symlink } from "node:fs/promises";
import type { Bed } from "./bed.ts";
import type { GoModule } from "./build/go-module.ts";
import * as modules from "./modules.ts";
import type { Tool } from "./piece.ts";
import { run } from "./run.ts";
import { buildkitSocket } from "./servers/buildkit.ts";

/** Programs that are only built and put into the bed's bin folder. */
export const tools: readonly Tool[] = [
  program("kubectl", modules.kubernetes),
  program("helm", modules.helm),
  program("helm3", modules.helm3, "helm"),
  program("act", modules.act),
  program("crane", modules.crane),
  program("actionlint", modules.actionlint),
  program("cosign", modules.cosign),
  { ...program("grype", modules.grype), folder: "scanners" },
  { ...program("vulnerabilities", modules.grype), folder: "scanners" },
];

/** Docker's builder, pointed at the bed's BuildKit, or at the user's; no Docker daemon is needed. */
export const buildx: Tool = {
  ...program("buildx", modules.buildx),
  prepare: pointAtBuildKit,
};

/** Docker's configuration folder of the bed: the user's own is never touched. */
export function dockerConfig(bed: Bed): string {
  return bed.path("docker");
}

function program(name: string, module: GoModule, file = name): Tool {
  return {
    name,
    needs: [],
    modules: [module],
    offers: (bed) => ({ [name]: bed.built(module, file) }),
  };
}

async function pointAtBuildKit(bed: Bed): Promise<void> {
  const file = bed.built(modules.buildx, "buildx");
  const plugin = bed.path("docker", "cli-plugins", "docker-buildx");
  await mkdir(bed.path("docker", "cli-plugins"), { recursive: true });
  const fresh = `${plugin}.${process.pid}`;
  await symlink(file, fresh);
  await rename(fresh, plugin);
  const address = process.env.SEAWORTHY_BUILDKIT || `unix://${buildkitSocket(bed)}`;
  const instance = bed.path("docker", "buildx", "instances", "seaworthy");
  const known = await readFile(instance, "utf8").catch(() => "");
  if (known.includes(JSON.stringify(address))) return;
  await rm(instance, { force: true });
  await run(file, ["create", "--name", "seaworthy", "--driver", "remote", "--use", address], {
    env: { ...process.env, DOCKER_CONFIG: dockerConfig(bed) },
  });
}
