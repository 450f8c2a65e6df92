import { describe, expect, it } from "@jest/globals";
import { credentialsFor, readHelperAnswer } from "../../../shared/registry/credentials.ts";
import { type DockerConfig, withLogin } from "../../../shared/registry/index.ts";
import { Secrets } from "../../../shared/secrets/index.ts";

const base64 = (text: string) => Buffer.from(text).toString("base64");
const signal = new AbortController().signal;

function ask(host: string, config: DockerConfig, secrets = new Secrets()) {
  return credentialsFor(host, config, { signal, secrets });
}

describe("credentials in docker's configuration", () => {
  it.each<[string, string, DockerConfig, unknown]>([
    ["none", "ghcr.io", {}, undefined],
    ["another registry's", "ghcr.io", { auths: { "quay.io": { auth: base64("a:b") } } }, undefined],
    ["an empty entry", "ghcr.io", { auths: { "ghcr.io": {} } }, undefined],
    [
      "a pair with colons in the password",
      "ghcr.io",
      { auths: { "ghcr.io": { auth: base64("me:a:b") } } },
      { kind: "password", username: "me", password: "a:b" },
    ],
    [
      "plain fields",
      "ghcr.io",
      { auths: { "ghcr.io": { username: "me", password: "x" } } },
      { kind: "password", username: "me", password: "x" },
    ],
    [
      "a key with the protocol",
      "quay.io",
      { auths: { "https://quay.io": { auth: base64("me:x") } } },
      { kind: "password", username: "me", password: "x" },
    ],
    [
      "Docker Hub's own key",
      "docker.io",
      { auths: { "https://index.docker.io/v1/": { auth: base64("me:x") } } },
      { kind: "password", username: "me", password: "x" },
    ],
    [
      "an identity token",
      "x.azurecr.io",
      { auths: { "x.azurecr.io": { auth: base64("0:"), identitytoken: "tok" } } },
      { kind: "identity-token", token: "tok" },
    ],
    [
      "a registry token",
      "r.io",
      { auths: { "r.io": { registrytoken: "tok" } } },
      { kind: "registry-token", token: "tok" },
    ],
  ])("%s", async (_, host, config, expected) => {
    expect(await ask(host, config)).toEqual(expected);
  });

  it("are hidden once they are known, also as they are sent", async () => {
    const secrets = new Secrets();
    await ask("ghcr.io", { auths: { "ghcr.io": { auth: base64("me:hunter22") } } }, secrets);
    expect(secrets.redact(`hunter22 ${base64("me:hunter22")}`)).toBe("*** ***");
  });

  it("of a login come before any store, and leave the others alone", async () => {
    const config = { credsStore: "missing", auths: { "quay.io": { auth: base64("a:b") } } };
    const merged = withLogin(config, { host: "ghcr.io", username: "me", password: "pw" });
    expect(await ask("ghcr.io", merged)).toEqual({
      kind: "password",
      username: "me",
      password: "pw",
    });
    expect(merged.auths?.["quay.io"]).toEqual({ auth: base64("a:b") });
    expect(merged.credsStore).toBe("missing");
  });

  it("from a helper that is not installed are a failure that names it", async () => {
    const config = { credHelpers: { "ghcr.io": "seaworthy-none" } };
    await expect(ask("ghcr.io", config)).rejects.toMatchObject({
      title: "The credential helper of ghcr.io failed",
      cause: expect.stringContaining("docker-credential-seaworthy-none was not found"),
    });
  });
});

it.each([
  ['{"Username":"me","Secret":"x"}', { kind: "password", username: "me", password: "x" }],
  ['{"Username":"<token>","Secret":"x"}', { kind: "identity-token", token: "x" }],
  ['{"Username":"me","Secret":""}', undefined],
  ["null", undefined],
  ["nonsense", undefined],
])("a helper's answer %s", (text, expected) => {
  expect(readHelperAnswer(text)).toEqual(expected);
});
