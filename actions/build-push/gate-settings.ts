import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, UserError } from "../../shared/failure/index.ts";
import type { GateSettings } from "../../shared/gate/index.ts";
import { type IgnoreEntry, parseIgnoreList } from "../../shared/scan/index.ts";
import { secretLooking } from "../../shared/secrets/index.ts";
import { idToken } from "../../shared/sign-in/index.ts";
import { WebApi } from "../../shared/web-api/index.ts";
import type { World } from "../../shared/world/index.ts";
import type { Options } from "./inputs.ts";
import type { Order } from "./sources.ts";
import { workspaceOf } from "./workspace.ts";

/**
 * What the gate is set to by the inputs.
 *
 * @throws {UserError} when the list of what is ignored or what is to sign with is not right.
 */
export async function gateSettings(
  options: Options,
  order: Order,
  world: World,
): Promise<GateSettings> {
  const { secretSearch, scan, scanThreshold, scanOnlyFixed, scanTimeout, publicBuildArgs } =
    options;
  return {
    secretSearch,
    secrets: secretSearch ? await secretsOf(options, order, world) : [],
    publicArguments: publicBuildArgs ?? [],
    scan,
    threshold: scanThreshold,
    onlyFixed: scanOnlyFixed,
    ignore: scan === "off" ? [] : await ignoreList(options, world),
    timeout: scanTimeout,
    signing: signingSettings(options, world),
  };
}

type Named = GateSettings["secrets"][number];

/** The values that must be in no image: those of the builds, and those of the job. */
async function secretsOf(options: Options, order: Order, world: World): Promise<readonly Named[]> {
  const builds = [...order.services, ...order.dependencies];
  const given = await Promise.all([
    ...builds.flatMap(({ secrets }) => secrets.map((each) => secretNamed(each, world))),
    ...builds.flatMap(({ ssh }) => ssh.flatMap(({ id, paths }) => paths.map(keyOf(id)))),
  ]);
  const own: readonly (Named | undefined)[] = [
    named("the input password", options.password),
    named("the input token", options.token),
    named("the input cosign-password", options.cosignPassword),
    named("the input cosign-key", keyText(options.cosignKey)),
    named("the input buildkit-key", options.buildkitKey),
    ...jobSecrets(world.environment),
  ];
  const all = [...given, ...own].flatMap((each) => each ?? []);
  // The same value by two names is told of by the first.
  return [...new Map(all.toReversed().map((each) => [each.value, each])).values()];
}

function named(name: string, value: string | undefined): Named | undefined {
  return value === undefined || value === "" ? undefined : { name, value };
}

async function secretNamed(
  secret: Order["services"][number]["secrets"][number],
  { environment }: World,
): Promise<Named | undefined> {
  const name = `the secret ${secret.id}`;
  if ("variable" in secret) return named(name, environment[secret.variable]);
  return named(name, await readFile(secret.file, "utf8").catch(() => undefined));
}

/** A path may be that of an agent's socket, which holds no text. */
function keyOf(id: string): (path: string) => Promise<Named | undefined> {
  return async (path) =>
    named(`the ssh key ${id}`, await readFile(path, "utf8").catch(() => undefined));
}

/** Tokens that a runner or its user puts into the environment of steps. */
const JOB_SECRETS = [
  ...["ACTIONS_RUNTIME_TOKEN", "ACTIONS_ID_TOKEN_REQUEST_TOKEN", "GITHUB_TOKEN", "GH_TOKEN"],
  ...["NODE_AUTH_TOKEN", "NPM_TOKEN", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"],
];

function jobSecrets(environment: World["environment"]): readonly Named[] {
  return Object.entries(environment).flatMap(([name, value = ""]) => {
    if (value === "" || name.startsWith("INPUT_")) return [];
    // Others are taken for secrets when their values have the form of one; but an address with a
    // password is often that of a server for tests, and stands in examples of the same repository.
    const looks = value.includes("://") ? undefined : secretLooking("", value, () => false);
    return JOB_SECRETS.includes(name) || looks !== undefined
      ? [{ name: `${name} of the environment`, value }]
      : [];
  });
}

/** The key itself, where it is one and not its address. */
function keyText(key: string | undefined): string | undefined {
  return key?.includes("-----BEGIN") ? key : undefined;
}

/** The list itself, or the file of the workspace that holds it. */
async function ignoreList(
  { scanIgnore: given }: Options,
  world: World,
): Promise<readonly IgnoreEntry[]> {
  if (given === undefined) return [];
  const isItself = /\n|^\s*[-[]/.test(given);
  const text = isItself ? given : await readList(given, world);
  const { entries, problems } = parseIgnoreList(text, world.clock.now());
  const [first] = problems;
  if (first === undefined) return entries;
  const where = isItself ? "scan-ignore" : given;
  throw new UserError({
    title: "The list of vulnerabilities to ignore is wrong",
    cause: problems.map(({ line, problem }) => `${where}, line ${line}: ${problem}.`).join("\n"),
    remedy:
      "Each entry has id, until (a day such as 2027-01-31, at most a year ahead) and reason, and package or service where it is to hold for no other. Nothing was built or pushed.",
    at: isItself ? undefined : { file: given, line: first.line },
  });
}

async function readList(path: string, { environment }: World): Promise<string> {
  const file = join(await workspaceOf(environment), path);
  return await readFile(file, "utf8").catch((error: unknown) => {
    throw new UserError({
      title: "The list of vulnerabilities to ignore cannot be read",
      cause: `scan-ignore names ${path}: ${describe(error)}.`,
      remedy: "Give the path of a file of the workspace, or the list itself.",
    });
  });
}

function signingSettings(options: Options, world: World): GateSettings["signing"] {
  const { sign, cosignKey, cosignPassword, tlogUpload: log } = options;
  if (sign === "off" && cosignKey === undefined) return undefined;
  if (sign === "key" && cosignKey !== undefined) {
    const password = cosignPassword ?? world.environment.COSIGN_PASSWORD;
    return { key: { key: cosignKey, password }, log };
  }
  if (sign === "keyless" && cosignKey === undefined) {
    return { log: true, identityToken: () => identityToken(world) };
  }
  throw new UserError({
    title: "The inputs sign and cosign-key do not fit together",
    cause:
      cosignKey === undefined
        ? "sign: key is given, and cosign-key is missing or empty."
        : `cosign-key is given, and sign is ${sign}.`,
    remedy: "Give sign: key together with cosign-key, or sign: keyless without it.",
  });
}

async function identityToken(world: World): Promise<string> {
  using api = new WebApi(world);
  return await idToken("sigstore", "sign: keyless", { api, settings: {}, world });
}
