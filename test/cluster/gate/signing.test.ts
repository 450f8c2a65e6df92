import { chmod, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import { Secrets } from "../../../shared/secrets/index.ts";
import { Signing, type SigningSettings } from "../../../shared/signing/index.ts";

// Sigstore's public services cannot be reached from a test: what cosign is told is held here to
// what its documentation asks for, by a program in its place. The real one is in step.test.ts.

let folder: string;
const image = `registry.example/web@sha256:${"a".repeat(64)}`;
const payload = JSON.stringify([
  { critical: { image: { "docker-manifest-digest": `sha256:${"a".repeat(64)}` } } },
]);

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "signing-"));
});

afterEach(() => rm(folder, { recursive: true, force: true }));

const V3 = "--use-signing-config=true:";

/** A cosign that keeps what it is told, and knows a signature once it was asked to make one. */
async function open(settings: SigningSettings, { help = V3, verify = "" } = {}) {
  const script = `#!/bin/sh
echo "$*" >> '${folder}/told'
env | grep -E '^(COSIGN|SEAWORTHY|DOCKER_CONFIG)' >> '${folder}/environment'
case "$1 $2" in
  "sign --help") echo '${help}' ;;
  "public-key "*) echo public ;;
  "sign "*) touch '${folder}/signed'; for word; do [ "$before" = --identity-token ] && cp "$word" '${folder}/token'; before="$word"; done ;;
  "verify "*) ${verify}
    [ -e '${folder}/signed' ] || { echo 'Error: no signatures found' >&2; exit 10; }
    echo '${payload}' ;;
esac
exit 0
`;
  await writeFile(join(folder, "cosign"), script);
  await chmod(join(folder, "cosign"), 0o755);
  return await Signing.open(settings, {
    environment: { PATH: `${folder}:${process.env.PATH}`, DOCKER_CONFIG: "/private/docker" },
    folder,
    secrets: new Secrets(),
    signal: new AbortController().signal,
  });
}

const told = async () => (await readFile(join(folder, "told"), "utf8")).trim().split("\n");
const { signal } = new AbortController();
const key = "-----BEGIN ENCRYPTED SIGSTORE PRIVATE KEY-----\nabc\n-----END-----";

describe("by a key", () => {
  it("is told of key and password by its environment, and uses no public service", async () => {
    const signing = await open({ key: { key, password: "pass-1234" }, log: false });
    expect(await signing.ensure(image, signal)).toEqual({
      made: true,
      how: "against the public key; no public log was asked",
    });
    const verifying = `verify --output json --key ${folder}/cosign.pub --insecure-ignore-tlog=true ${image}`;
    expect(await told()).toEqual([
      "public-key --key env://SEAWORTHY_COSIGN_KEY",
      "sign --help",
      verifying,
      `sign --yes --key env://SEAWORTHY_COSIGN_KEY --signing-config ${folder}/signing-config.json --trusted-root ${folder}/trusted-root.json ${image}`,
      verifying,
    ]);
    const environment = await readFile(join(folder, "environment"), "utf8");
    expect(environment).toMatch(/^COSIGN_PASSWORD=pass-1234$/m);
    expect(environment).toMatch(/^DOCKER_CONFIG=\/private\/docker$/m);
  });

  it("is told by a flag to use no public service where it knows no other way", async () => {
    const settings = { key: { key: "awskms://alias/x", password: undefined }, log: false };
    const signing = await open(settings, { help: "--use-signing-config=false:" });
    await signing.ensure(image, signal);
    expect(await told()).toContain(
      `sign --yes --key awskms://alias/x --tlog-upload=false ${image}`,
    );
  });

  it("enters the signature in the public log, and looks it up, unless told otherwise", async () => {
    const signing = await open({ key: { key, password: undefined }, log: true });
    expect((await signing.ensure(image, signal)).how).toMatch(/and in Sigstore's public log/);
    expect(await told()).toContain(`verify --output json --key ${folder}/cosign.pub ${image}`);
    expect(await told()).toContain(`sign --yes --key env://SEAWORTHY_COSIGN_KEY ${image}`);
  });

  it("makes none where there is one", async () => {
    const signing = await open({ key: { key, password: undefined }, log: false });
    await writeFile(join(folder, "signed"), "");
    expect((await signing.ensure(image, signal)).made).toBe(false);
    expect((await told()).filter((line) => line.startsWith("sign --yes"))).toEqual([]);
  });

  it.each([
    ["of another image", "echo '[]'; exit 0", /finds no signature at the registry/],
    ["that prints no JSON", "echo fine; exit 0", /finds no signature at the registry/],
    ["that cannot be asked for", "echo 'Error: GET x: UNAUTHORIZED' >&2; exit 1", /UNAUTHORIZED/],
  ])("believes no signature %s", async (_, verify, cause) => {
    const signing = await open({ key: { key, password: undefined }, log: false }, { verify });
    await expect(signing.ensure(image, signal)).rejects.toMatchObject({
      cause: expect.stringMatching(cause),
    });
  });
});

describe("by the identity of the job", () => {
  const claims = {
    iss: "https://token.actions.githubusercontent.com",
    job_workflow_ref: "o/app/.github/workflows/ci.yml@refs/heads/main",
  };
  const token = `e30.${Buffer.from(JSON.stringify(claims)).toString("base64url")}.x`;

  it("gets its token by a file, and is held to the workflow of the job", async () => {
    const signing = await open({ log: true, identityToken: async () => token });
    const { how } = await signing.ensure(image, signal);
    expect(how).toBe(
      "as made by https://github.com/o/app/.github/workflows/ci.yml@refs/heads/main (https://token.actions.githubusercontent.com), in Sigstore's public log",
    );
    const lines = await told();
    expect(lines.join()).not.toContain(token);
    expect(await readFile(join(folder, "token"), "utf8")).toBe(token);
    const [verify = ""] = lines.filter((line) => line.startsWith("verify"));
    const pattern = /--certificate-identity-regexp (\S+)/.exec(verify)?.[1] ?? "";
    expect(verify).toContain(
      "--certificate-oidc-issuer https://token.actions.githubusercontent.com",
    );
    const identity = new RegExp(pattern);
    expect("https://github.com/o/app/.github/workflows/ci.yml@refs/heads/x").toMatch(identity);
    expect("https://github.com/o/app/.github/workflows/ciXyml@refs/heads/x").not.toMatch(identity);
    expect("https://github.com/o/app/.github/workflows/ci.yml.evil@x").not.toMatch(identity);
  });

  it("without a token is refused at once", async () => {
    const identityToken = async () => {
      throw new Error("no token");
    };
    await expect(open({ log: true, identityToken })).rejects.toThrow("no token");
  });
});
