import { WebApi } from "../web-api/index.ts";
import { signInToAzure } from "./azure.ts";
import type { Cloud } from "./cloud.ts";
import { signInToEcr } from "./ecr.ts";
import { signInToGoogle } from "./google.ts";
import type { CloudAccount, NoAccount, SignInSettings, SignInWorld } from "./settings.ts";

/** Signs in with a cloud. Loaded only where one is needed. */
export async function signInToCloud(
  host: string,
  cloud: Exclude<Cloud, { readonly kind: "github" }>,
  settings: SignInSettings,
  world: SignInWorld,
): Promise<CloudAccount | NoAccount> {
  using api = new WebApi(world);
  const means = { api, settings, world };
  if (cloud.kind === "ecr") return signInToEcr(cloud, means);
  if (cloud.kind === "google") return signInToGoogle(means);
  return signInToAzure(host, cloud.authority, means);
}
