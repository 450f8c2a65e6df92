import type { GitHub } from "../../shared/github/index.ts";
import type { Repository } from "../../shared/images/index.ts";
import { Registries, readDockerConfig } from "../../shared/registry/index.ts";
import { cloudOf, signIn } from "../../shared/sign-in/index.ts";
import type { World } from "../../shared/world/index.ts";
import type { Catalogue } from "./catalogue.ts";
import type { Options } from "./inputs.ts";
import { RegistryCatalogue } from "./registry-catalogue.ts";

/** GitHub's API, for those who need it. */
export interface OpenGitHub {
  open(): Promise<GitHub>;
}

/**
 * The registries that the step asks, signed in at as the inputs say.
 *
 * @param host of the registry that username and password are for.
 */
export async function openRegistries(
  host: string,
  options: Options,
  world: World,
): Promise<Registries> {
  const config = await readDockerConfig(world.environment);
  const { clock, environment, secrets } = world;
  const { username, password, ...others } = options;
  const credentials = async (asked: string) => {
    const settings = asked === host ? { ...others, username, password } : others;
    const signedIn = await signIn(asked, settings, config, world);
    world.log.info(signedIn.told);
    return signedIn.credentials;
  };
  return new Registries({ credentials, secrets, clock, environment });
}

/** How each repository is listed and deleted from: as its registry allows. */
export async function openCatalogue(
  repository: Repository,
  registries: Registries,
  options: Options,
  github: OpenGitHub,
  world: World,
): Promise<Catalogue> {
  const cloud = cloudOf(repository.host, world.environment);
  if (cloud?.kind === "github") {
    const { GitHubCatalogue } = await import("./github-catalogue.ts");
    return new GitHubCatalogue(repository, await github.open());
  }
  if (cloud?.kind === "ecr" && !cloud.isPublic) {
    const { openEcr } = await import("../../shared/sign-in/index.ts");
    const api = await openEcr(repository.host, options, world);
    const { EcrCatalogue } = await import("./ecr-catalogue.ts");
    if (api !== undefined) return new EcrCatalogue(repository, api);
  }
  return new RegistryCatalogue(repository, await registries.of(repository.host));
}
