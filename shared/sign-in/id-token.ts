import { UserError } from "../failure/index.ts";
import { jsonIn, wordsOf } from "../web-api/index.ts";
import type { Means } from "./settings.ts";

/** Whether the runner would give this job a token that says who it is. */
export function hasIdToken({
  ACTIONS_ID_TOKEN_REQUEST_URL: url,
  ACTIONS_ID_TOKEN_REQUEST_TOKEN: token,
}: Means["world"]["environment"]): boolean {
  return Boolean(url) && Boolean(token);
}

/**
 * Asks GitHub for a token that says which workflow of which repository this job is, for one
 * audience. It is hidden from then on. Source: GitHub, "OpenID Connect reference".
 *
 * @param why completes "... needs a token of the job's identity".
 * @throws {UserError} when the job may not have one, or GitHub does not give it.
 */
export async function idToken(
  audience: string,
  why: string,
  { api, world }: Means,
): Promise<string> {
  const { environment, secrets, signal } = world;
  const { ACTIONS_ID_TOKEN_REQUEST_URL: address, ACTIONS_ID_TOKEN_REQUEST_TOKEN: bearer } =
    environment;
  if (!address || !bearer || !URL.canParse(address)) throw notAllowed(why);
  secrets.add(bearer);
  const url = new URL(address);
  url.searchParams.set("audience", audience);
  const answer = await api.ask({
    method: "GET",
    url,
    headers: { authorization: `bearer ${bearer}`, accept: "application/json; api-version=2.0" },
    signal,
    service: "GitHub's token service",
  });
  const { value } = jsonIn(answer);
  if (answer.status === 200 && typeof value === "string" && value !== "") {
    secrets.add(value);
    return value;
  }
  throw new UserError({
    title: "GitHub gave no token of the job's identity",
    cause: `GET ${url.origin}${url.pathname} for the audience ${audience} answered ${answer.status}: ${wordsOf(answer) || "no words"}.`,
    remedy: "Give the job `permissions: id-token: write`, and run again.",
  });
}

function notAllowed(why: string): UserError {
  return new UserError({
    title: "The job may not prove its identity",
    cause: `${why} needs a token of the job's identity (OIDC), and this job may not have one: ACTIONS_ID_TOKEN_REQUEST_URL is not set.`,
    remedy:
      "Give the job `permissions: id-token: write`. Runs for pull requests from forks never have it.",
  });
}
