import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import type { BuilderSettings } from "../../shared/buildkit/index.ts";
import { describe, UserError } from "../../shared/failure/index.ts";
import type { World } from "../../shared/world/index.ts";
import type { Options } from "./inputs.ts";

/**
 * The builder that the inputs name. What contradicts itself was found before, by `builderProblems`.
 *
 * @throws {UserError} when the file that buildkitd-config names cannot be read.
 */
export async function builderSettings(options: Options, world: World): Promise<BuilderSettings> {
  const { builder, buildkit, driver, buildkitCa, buildkitCert, buildkitKey } = options;
  return {
    builder,
    buildkit,
    driver: driver === "buildah" ? undefined : driver,
    options: withoutQuotes(options.driverOpts ?? {}),
    nodes: options.builderNodes ?? [],
    tls:
      buildkitCa === undefined
        ? undefined
        : { ca: buildkitCa, cert: buildkitCert, key: buildkitKey },
    config: await configOf(options, world),
    keep: options.keepBuilder,
  };
}

/** As other actions write them: `"nodeselector=a=b,c=d"`, quoted for the commas. */
function withoutQuotes(
  options: Readonly<Record<string, string>>,
): Readonly<Record<string, string>> {
  const entries = Object.entries(options).map(([name, value]) =>
    name.startsWith('"') && value.endsWith('"')
      ? [name.slice(1), value.slice(0, -1)]
      : [name, value.replace(/^"(.*)"$/s, "$1")],
  );
  return Object.fromEntries(entries);
}

async function configOf(
  { buildkitdConfig, buildkitdConfigInline }: Options,
  { environment }: World,
): Promise<string | undefined> {
  if (buildkitdConfig === undefined) return buildkitdConfigInline;
  const file = resolve(environment.GITHUB_WORKSPACE || process.cwd(), buildkitdConfig);
  try {
    return await readFile(file, "utf8");
  } catch (error) {
    throw new UserError(
      {
        title: "The input buildkitd-config names no file that can be read",
        cause: `${buildkitdConfig}: ${describe(error)}.`,
        remedy: "Check the path, which is relative to the workspace.",
      },
      { reason: error },
    );
  }
}
