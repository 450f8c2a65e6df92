import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { basename, relative } from "node:path";
import { type Dockerfile, readDockerfile, remoteOf } from "../dockerfile/index.ts";
import { codeOf, UserError } from "../failure/index.ts";
import { isDigest, normalPlatform } from "../images/index.ts";
import { contextDigest } from "./context-digest.ts";
import { ignoreFileOfDockerfile } from "./ignore-file.ts";
import type { KeyInputs } from "./key-inputs.ts";
import { layoutDigest } from "./oci-layout.ts";

/** All that a build is asked to do, as far as it shows in the image. */
export interface KeySubject {
  /** Absolute path of the folder, or an address on the network. */
  readonly context: string;
  /** Absolute path of the Dockerfile. */
  readonly dockerfile: string;
  /** The Dockerfile's text where it is given itself; `dockerfile` is then only a name. */
  readonly dockerfileText?: string | undefined;
  /** The Dockerfile's path in the workspace, for messages. */
  readonly dockerfileShown?: string | undefined;
  readonly target?: string | undefined;
  readonly buildArgs: Readonly<Record<string, string>>;
  /** Ids of build secrets. Their values never count: a build must not keep them. */
  readonly secrets: readonly string[];
  /** Ids of SSH agents and keys. */
  readonly ssh?: readonly string[];
  /** None means the builder's own. */
  readonly platforms: readonly string[];
  /** Named contexts: absolute folder, docker-image://, oci-layout://, target: or an address. */
  readonly contexts?: Readonly<Record<string, string>>;
  /** Whatever else shapes the image: labels that stay the same, the network, provenance. */
  readonly settings?: Readonly<Record<string, string>>;
}

/**
 * What has to be asked. Calls of `contentKeyOf` that share one of these share what they read: a
 * context is walked, and an image asked for, once.
 */
export interface Outside {
  /**
   * The digest that an image's name leads to now: of its index, where it has one.
   * @throws {UserError} when the registry cannot tell.
   */
  resolve(image: string, platforms: readonly string[]): Promise<string>;
  /**
   * The ONBUILD lines in an image's configuration, without the word, for all the platforms. Asked only
   * where a Dockerfile copies no more than parts of its context. Where they are not known, undefined,
   * all of the context counts.
   */
  triggers?(
    image: string,
    digest: string,
    platforms: readonly string[],
  ): Promise<readonly string[] | undefined>;
  /** The content key of another build of the same step, for contexts `target:NAME`. */
  keyOf?(target: string): Promise<ContentKey>;
  /** The builder's version and its own platform: `buildkit v0.34.2 linux/amd64`. */
  readonly builder: string;
  readonly signal: AbortSignal;
}

export interface ResolvedImage {
  /** As the Dockerfile names it, variables replaced. */
  readonly name: string;
  readonly platforms: readonly string[];
  readonly digest: string;
}

export interface ContentKey {
  /** 64 hexadecimal digits. Equal keys: the builds see the same. */
  readonly key: string;
  readonly inputs: KeyInputs;
  /** Why an image under this key must not be reused: sentences' ends; none when it may be. */
  readonly unseen: readonly string[];
  /** The images that it is built on, to build on exactly these. */
  readonly images: readonly ResolvedImage[];
  /** What would make for fewer builds: sentences. */
  readonly advice: readonly string[];
  /** Of all contexts. */
  readonly files: number;
  readonly bytes: number;
}

/** Another way to make the key gives other keys. */
const VERSION = "1";

/**
 * Makes the key of a build: a digest of everything that it can see. See docs/content-key.md.
 *
 * @throws {UserError} when a context or the Dockerfile cannot be read, or an image not be found.
 */
export async function contentKeyOf(subject: KeySubject, outside: Outside): Promise<ContentKey> {
  const bytes = await dockerfileBytes(subject);
  const text = bytes.toString();
  const begun = readWith(subject, text, outside.builder);
  const first = resolveAll(begun, outside);
  const [contexts, dockerfile, frontend] = await Promise.all([
    namedContexts(subject, outside),
    withTriggers(begun, first, subject, text, outside),
    frontendOf(begun, outside),
  ]);
  const [main, images] = await Promise.all([
    mainContext(subject, dockerfile.contextPaths, outside),
    resolveAll(dockerfile, outside),
  ]);
  const seen = [main, ...contexts];
  const inputs: KeyInputs = {
    ...main.inputs,
    Dockerfile: sha256(bytes),
    ...Object.assign({}, ...contexts.map((context) => context.inputs)),
    ...entries(images, ({ name, digest }) => [`image ${name}`, digest]),
    ...frontend,
    ...plainInputs(subject),
    builder: outside.builder,
  };
  return {
    key: keyOf(inputs),
    inputs,
    unseen: [...dockerfile.unseen, ...seen.flatMap(({ unseen }) => unseen)],
    images,
    advice: seen.flatMap(({ advice }) => advice),
    files: seen.reduce((sum, { files }) => sum + files, 0),
    bytes: seen.reduce((sum, { bytes }) => sum + bytes, 0),
  };
}

function readWith(
  subject: KeySubject,
  text: string,
  builder: string,
  triggers: Readonly<Record<string, readonly string[]>> = {},
): Dockerfile {
  const buildPlatform = /\b(?:linux|windows)\/[a-z0-9]+(?:\/v\d+)?/.exec(builder)?.[0];
  return readDockerfile(text, {
    ...(buildPlatform === undefined ? {} : { buildPlatform }),
    buildArgs: subject.buildArgs,
    target: subject.target,
    platforms: subject.platforms,
    contexts: Object.keys(subject.contexts ?? {}),
    triggers,
    file: subject.dockerfileShown ?? subject.dockerfile,
  });
}

/** The Dockerfile with what the images under it add to it, where that may matter. */
async function withTriggers(
  begun: Dockerfile,
  resolving: Promise<readonly ResolvedImage[]>,
  subject: KeySubject,
  text: string,
  outside: Outside,
): Promise<Dockerfile> {
  if (begun.contextPaths === undefined || begun.bases.length === 0) return begun;
  const bases = (await resolving).filter(({ name }) => begun.bases.includes(name));
  const found = await Promise.all(
    bases.map(async ({ name, digest, platforms }) => {
      const ask = async () => outside.triggers?.(name, digest, platforms);
      return [name, await shared(outside, `triggers ${name} ${digest}`, ask)] as const;
    }),
  );
  if (found.some(([, lines]) => lines === undefined)) return { ...begun, contextPaths: undefined };
  const triggers = found.flatMap(([name, lines = []]) => (lines.length > 0 ? [[name, lines]] : []));
  return triggers.length === 0
    ? begun
    : readWith(subject, text, outside.builder, Object.fromEntries(triggers));
}

/** Parts of a context are there for reasons only: the context's own digest holds them. */
function keyOf(inputs: KeyInputs): string {
  const counted = Object.entries(inputs)
    .filter(([name]) => !name.startsWith("part "))
    .sort(([a], [b]) => (a < b ? -1 : 1));
  return sha256(JSON.stringify(["seaworthy content key", VERSION, counted]));
}

function plainInputs(subject: KeySubject): KeyInputs {
  const platforms = [...new Set(subject.platforms.map(normalPlatform))].sort().join(", ");
  return {
    ...(subject.target === undefined ? {} : { target: subject.target }),
    ...(platforms === "" ? {} : { platforms }),
    ...entries(Object.entries(subject.buildArgs), ([name, value]) => [
      `argument ${name}`,
      // With the name, so that equal values of two arguments do not show as such.
      sha256(`${name}=${value}`),
    ]),
    ...entries(subject.secrets, (id) => [`secret ${id}`, "given"]),
    ...entries(subject.ssh ?? [], (id) => [`ssh ${id}`, "given"]),
    ...entries(Object.entries(subject.settings ?? {}), ([name, value]) => [
      `setting ${name}`,
      sha256(value),
    ]),
  };
}

async function dockerfileBytes(subject: KeySubject): Promise<Buffer> {
  const { dockerfile, dockerfileShown, dockerfileText } = subject;
  if (dockerfileText !== undefined) return Buffer.from(dockerfileText);
  try {
    return await readFile(dockerfile);
  } catch (error) {
    if (codeOf(error) === undefined) throw error;
    throw new UserError({
      title: "The Dockerfile cannot be read",
      cause: `${dockerfileShown ?? dockerfile}: ${(error as Error).message}.`,
      remedy: "Correct the path of the Dockerfile.",
    });
  }
}

/** What one context adds to a key. */
interface SeenContext {
  readonly inputs: KeyInputs;
  readonly unseen: readonly string[];
  readonly advice: readonly string[];
  readonly files: number;
  readonly bytes: number;
}

const NOTHING = { inputs: {}, unseen: [], advice: [], files: 0, bytes: 0 } as const;

async function mainContext(
  subject: KeySubject,
  paths: readonly string[] | undefined,
  outside: Outside,
): Promise<SeenContext> {
  const { context, dockerfile, dockerfileText: given } = subject;
  if (!context.startsWith("/")) return remoteContext("context", context);
  const ignoreFile = given === undefined ? ignoreFileOfDockerfile(dockerfile)?.text : undefined;
  const digest = await shared(
    outside,
    JSON.stringify(["context", context, ignoreFile, paths]),
    () => contextDigest(context, ignoreFile, outside.signal, paths),
  );
  return {
    inputs: {
      context: digest.digest,
      ...entries(Object.entries(digest.parts), ([name, part]) => [`part ${name}`, part]),
    },
    unseen: [],
    advice: ".git/" in digest.parts ? [gitAdvice(subject, ignoreFile)] : [],
    files: digest.files,
    bytes: digest.bytes,
  };
}

function gitAdvice({ context, dockerfile }: KeySubject, ignoreFile: string | undefined): string {
  const file = ignoreFile === undefined ? ".dockerignore" : `${basename(dockerfile)}.dockerignore`;
  const where = relative(process.cwd(), context) || "the workspace";
  return `The context ${where} holds .git, which differs in every run, so that nothing is reused: leave it out with a line \`.git\` in ${file}.`;
}

function remoteContext(name: string, address: string): SeenContext {
  const remote = remoteOf(address);
  const plain = address.replace(/\/\/[^/@]*@/, "//").replace(/\?.*$/, "");
  const unseen = `${name === "context" ? "its context" : `its ${name}`} is ${plain}, which is fetched by the builder`;
  const inputs = { [name]: sha256(address) };
  return { ...NOTHING, inputs, unseen: remote?.isPinned === true ? [] : [unseen] };
}

function namedContexts(subject: KeySubject, outside: Outside): Promise<readonly SeenContext[]> {
  return Promise.all(
    Object.entries(subject.contexts ?? {}).map(([name, value]) =>
      namedContext(`context ${name}`, value, outside),
    ),
  );
}

async function namedContext(name: string, value: string, outside: Outside): Promise<SeenContext> {
  const [, kind = "", rest = ""] =
    /^(docker-image:\/\/|oci-layout:\/\/|target:)(.*)$/s.exec(value) ?? [];
  if (kind === "docker-image://") {
    const digest = rest === "scratch" ? rest : await resolveOne(rest, [], outside);
    return { ...NOTHING, inputs: { [name]: digest } };
  }
  if (kind === "oci-layout://") return { ...NOTHING, inputs: { [name]: layoutDigest(rest) } };
  if (kind === "target:") return otherTarget(name, rest, outside);
  if (!value.startsWith("/")) return remoteContext(name, value);
  const { digest, files, bytes } = await shared(outside, JSON.stringify(["context", value]), () =>
    contextDigest(value, undefined, outside.signal),
  );
  return { ...NOTHING, inputs: { [name]: digest }, files, bytes };
}

async function otherTarget(name: string, target: string, outside: Outside): Promise<SeenContext> {
  if (outside.keyOf === undefined) {
    return { ...NOTHING, unseen: [`it builds on the target ${target}, which has no key`] };
  }
  const { key, unseen } = await outside.keyOf(target);
  return {
    ...NOTHING,
    inputs: { [name]: key },
    unseen: unseen.map((why) => `its ${target}: ${why}`),
  };
}

function resolveAll(dockerfile: Dockerfile, outside: Outside): Promise<readonly ResolvedImage[]> {
  return Promise.all(
    dockerfile.images.map(async ({ name, platforms }) => ({
      name,
      platforms,
      digest: await resolveOne(name, platforms, outside),
    })),
  );
}

async function frontendOf({ frontend }: Dockerfile, outside: Outside): Promise<KeyInputs> {
  if (frontend === undefined) return {};
  return { [`frontend ${frontend}`]: await resolveOne(frontend, [], outside) };
}

function resolveOne(
  image: string,
  platforms: readonly string[],
  outside: Outside,
): Promise<string> {
  const digest = image.split("@")[1];
  if (digest !== undefined && isDigest(digest)) return Promise.resolve(digest);
  return shared(outside, `image ${image}`, () => outside.resolve(image, platforms));
}

const asked = new WeakMap<Outside, Map<string, Promise<unknown>>>();

/** What several builds of a step ask for is found out once. */
function shared<T>(outside: Outside, question: string, ask: () => Promise<T>): Promise<T> {
  const answers = asked.get(outside) ?? new Map<string, Promise<unknown>>();
  asked.set(outside, answers);
  const known = answers.get(question);
  if (known !== undefined) return known as Promise<T>;
  const answer = ask();
  answers.set(question, answer);
  return answer;
}

function entries<T>(
  values: Iterable<T>,
  entryOf: (value: T) => readonly [string, string],
): KeyInputs {
  return Object.fromEntries([...values].map(entryOf));
}

function sha256(text: string | Buffer): string {
  return createHash("sha256").update(text).digest("hex");
}
