import type { UserErrorParts } from "../failure/index.ts";
import { isOfCommand, shorten } from "./build-error.ts";
import type { FailedBuild } from "./failed-build.ts";
import { pushRemedy, wasDenied } from "./push-remedy.ts";

/** The failure in better words than buildx's; undefined when it is none of those known. */
export function knownFailure(failure: FailedBuild): UserErrorParts | undefined {
  if (isOfCommand(failure.error)) return undefined;
  for (const { pattern, tell } of KNOWN) {
    const found = pattern.exec(failure.error);
    if (found !== null) return tell(failure, found);
  }
  return undefined;
}

/** Whether an error is of the builder, so that no target can be built. Takes buildx's words. */
export function concernsAll(error: string): boolean {
  if (isOfCommand(error)) return false;
  return KNOWN.some(({ ofBuilder, pattern }) => ofBuilder === true && pattern.test(error));
}

interface KnownFailure {
  readonly pattern: RegExp;
  /** It is the builder's, whatever is built. */
  readonly ofBuilder?: true;
  readonly tell: (failure: FailedBuild, found: RegExpExecArray) => UserErrorParts;
}

// What BuildKit says comes with this; the rest is buildx's own.
const BY_BUILDKIT = /^ERROR: .*\bfailed to (?:solve|receive status)\b/;

// What gRPC says when its server is gone; a registry's words may be the same, behind more.
const LOST =
  /^(?!.*failed to (?:push|resolve|copy)).*(?:code = Unavailable|^Unavailable: |closing transport|error reading from server|failed to receive status|transport is closing|server preface)/is;

/** Whether buildx lost its BuildKit in the middle of the work. Takes buildx's words. */
export function lostBuilder(error: string): boolean {
  return !isOfCommand(error) && LOST.test(error);
}

/** A sentence that names the scope that a token was asked for. */
function missingScope(why: string, image: string): string {
  const asked = /[?&]scope=([^&\s"]+)/.exec(why)?.[1];
  const path = image.slice(image.indexOf("/") + 1);
  const scope = asked === undefined ? `repository:${path}:pull,push` : decoded(asked);
  return ` The scope that is missing is ${scope}.`;
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function lastWords(error: string): string {
  return error.replace(/^.*(?:code = Unavailable desc = |Unavailable: )/s, "");
}

// `ref id::id: "/path": not found`
const MISSING = /failed to calculate checksum of ref \S+: "(.*)": not found/s;

/** The path that a COPY or ADD did not find, from the root of what it copies from. */
export function missingPath(error: string): string | undefined {
  return MISSING.exec(error)?.[1];
}

const KNOWN: readonly KnownFailure[] = [
  {
    pattern: /failed to push (\S+): (.*)$/s,
    tell: ({ name, image }, [, reference = "", why = ""]) => {
      const scope = wasDenied(why) ? missingScope("", image) : "";
      return {
        title: `${name}: the image could not be pushed`,
        cause: `It was built, but pushing ${reference} failed: ${shorten(why)}.${scope}`,
        remedy: pushRemedy(why),
      };
    },
  },
  {
    pattern: /failed to resolve source metadata for (\S+?): (.*)$/s,
    tell: (failure, [, image = "", why = ""]) => ({
      ...imageWanted(failure, image, shorten(why)),
      remedy: baseRemedy(why),
    }),
  },
  {
    // A registry's token service, asked for the right to push or to pull.
    pattern: /failed to (?:fetch (?:anonymous|oauth) token|authorize): (.*)$/s,
    tell: ({ name, image }, [, why = ""]) => ({
      title: `${name}: the registry gives no right to the image`,
      cause: `${shorten(why)}.${missingScope(why, image)}`,
      remedy: pushRemedy("denied"),
    }),
  },
  {
    // From COPY and ADD.
    pattern: MISSING,
    tell: (failure, [, path = ""]) => fileMissing(failure, path),
  },
  {
    pattern: /^target stage "(.*?)" could not be found(.*)/,
    tell: ({ name, dockerfile }, [, stage = "", hint = ""]) => ({
      title: `${name}: the Dockerfile has no such stage`,
      cause: `${dockerfile} has no stage ${JSON.stringify(stage)}${hint}.`,
      remedy: "Name a stage that one of its FROM lines declares with AS.",
    }),
  },
  {
    pattern: /^secret (\S+): not found/,
    tell: ({ name, dockerfile }, [, id = ""]) => ({
      title: `${name}: a secret is missing`,
      cause: `${dockerfile} asks for the secret ${id}, and this service gives none of that name.`,
      remedy: `Name it in the input secrets: \`${id}: THE_VARIABLE_THAT_HOLDS_IT\`.`,
    }),
  },
  {
    pattern: /^file with no instructions|^no build stage in current context/,
    tell: ({ name, dockerfile }) => ({
      title: `${name}: the Dockerfile is empty`,
      cause: `${dockerfile} has no instruction.`,
      remedy: "Check the path in dockerfile, and that the file was committed whole.",
    }),
  },
  {
    pattern: /^failed to read dockerfile: (.*)$/s,
    tell: ({ name, dockerfile }, [, why = ""]) => ({
      title: `${name}: the Dockerfile cannot be read`,
      cause: `${dockerfile}: ${shorten(why)}.`,
      remedy: "Check the path in dockerfile.",
    }),
  },
  {
    pattern: /^unable to prepare context: (.*)$/s,
    tell: ({ name }, [, why = ""]) => ({
      title: `${name}: the build context cannot be read`,
      cause: `buildx says: ${shorten(why)}.`,
      remedy: "Check the path in context.",
    }),
  },
  {
    pattern: /entitlement (\S+) is not allowed/,
    tell: ({ name }, [, right = ""]) => ({
      title: `${name}: the builder does not grant ${right}`,
      cause: `The service asks for the right ${right}, and the builder's BuildKit is set up not to give it.`,
      remedy: `Start that BuildKit with --allow-insecure-entitlement ${right}; or build without.`,
    }),
  },
  {
    pattern: /SSH_AUTH_SOCK|unset ssh forward key (\S+)/,
    tell: ({ name, dockerfile }, [, key]) => ({
      title: `${name}: a key for SSH is missing`,
      cause:
        key === undefined
          ? "The service gives its build the SSH agent of this job, and none runs: SSH_AUTH_SOCK is not set."
          : `${dockerfile} asks for the SSH key ${key}, and this service gives none of that name.`,
      remedy:
        key === undefined
          ? "Start an agent in a step before, such as webfactory/ssh-agent."
          : `Give it in the service's ssh: \`${key}\`.`,
    }),
  },
  {
    pattern: /push-by-digest is currently not implemented for docker driver/,
    ofBuilder: true,
    tell: () => ({
      title: "The builder cannot push before its tags are decided",
      cause:
        "The builder in use is the Docker daemon itself with its old image store, which cannot push an image without a tag.",
      remedy: "Run docker/setup-buildx-action in a step before, or give driver: docker-container.",
    }),
  },
  {
    pattern: /no match for platform in manifest|does not match the specified platform/,
    tell: ({ name, dockerfile, located, error }) => ({
      title: `${name}: the base image is not made for the platform`,
      cause: `${dockerfile}${located === undefined ? "" : `:${located.line}`}: ${shorten(error)}.`,
      remedy: "Choose a base image that has every platform in platforms, or leave that one out.",
    }),
  },
  {
    pattern: /no space left on device|disk quota exceeded/i,
    tell: ({ name, error, located, stopped, text }) =>
      text.some((line) => BY_BUILDKIT.test(line))
        ? {
            title: `${name}: the builder's disk is full`,
            cause: `${located === undefined ? (stopped ?? "The build") : shorten(located.instruction)} failed: ${shorten(error)}.`,
            remedy: "Make room on the builder's disk, by `docker buildx prune` for one.",
          }
        : {
            title: "The runner's disk is full",
            cause: `buildx says: ${shorten(error)}.`,
            remedy: "Make room on the runner's disk, or choose a larger one.",
          },
  },
  {
    pattern: /failed to fetch remote (\S+?): (.*)$/s,
    tell: ({ name, located, dockerfile }, [, address = "", why = ""]) => ({
      title: `${name}: a Git repository cannot be had`,
      cause: `${located === undefined ? "The build" : `${dockerfile}:${located.line}`} needs ${address}: ${shorten(why.replace(/^git stderr:\s*/, ""))}.`,
      remedy:
        "Check its address; a private one needs the secret GIT_AUTH_TOKEN, and the builder must reach it.",
    }),
  },
  {
    pattern: /digest mismatch (sha256:[0-9a-f]+): (sha256:[0-9a-f]+)/,
    tell: ({ name, located, dockerfile, failed }, [, is = "", wanted = ""]) => ({
      title: `${name}: what was fetched has another checksum`,
      cause: `${located === undefined ? dockerfile : `${dockerfile}:${located.line}`}: ${shorten(located?.instruction ?? failed?.name ?? "ADD")} gave ${is}, not ${wanted}.`,
      remedy: "Find out why it changed; if that is well, write the new checksum.",
    }),
  },
  {
    pattern: /^no builder "(.*)" found/,
    ofBuilder: true,
    tell: (_, [, builder = ""]) => ({
      title: "There is no such builder",
      cause: `buildx knows no builder ${JSON.stringify(builder)} on this runner.`,
      remedy: "Run docker/setup-buildx-action before, or name BuildKit's address in `buildkit`.",
    }),
  },
  {
    pattern: /^unknown flag: |invalid progress mode|^unknown shorthand flag/,
    ofBuilder: true,
    tell: ({ error }) => ({
      title: "buildx is too old",
      cause: `buildx does not know what it is asked: ${shorten(error)}.`,
      remedy: "Run docker/setup-buildx-action in a step before, or install buildx 0.13 or later.",
    }),
  },
  {
    // Docker's words before and since version 28.
    pattern:
      /(?:Cannot connect to the Docker daemon|connect to the docker API) at (\S+?)[.;](?:\s|$)/,
    ofBuilder: true,
    tell: ({ builder }, [, address = ""]) => ({
      title: "BuildKit cannot be reached",
      cause: `The builder ${builder ?? "in use"} is the Docker daemon at ${address}, which does not answer.`,
      remedy: "Start the Docker daemon, or name BuildKit's address in the input `buildkit`.",
    }),
  },
  {
    pattern: /^context deadline exceeded/,
    ofBuilder: true,
    tell: ({ builder }) => ({
      title: "BuildKit cannot be reached",
      cause: `The BuildKit of the builder ${builder ?? "in use"} answered nothing buildx understands before its own deadline.`,
      remedy: "Check that it runs and that this runner may connect to it.",
    }),
  },
  {
    pattern: LOST,
    ofBuilder: true,
    tell: ({ name, stopped, error }) => ({
      title: `${name}: BuildKit broke off`,
      cause: `BuildKit ended or was cut off from buildx${stopped === undefined ? "" : ` while it was at: ${shorten(stopped)}`} (${shorten(lastWords(error))}), and did not come back within seconds.`,
      remedy:
        "Look at BuildKit's own log and memory, and at the network between; then run again, what was built is cached.",
    }),
  },
  {
    pattern: /(Attestation|Multi-platform build)s? (?:is|are) not supported for the docker driver/i,
    tell: (_, [, what = ""]) => ({
      title: `The builder cannot do it: ${what.toLowerCase()}`,
      cause: `The builder in use is the Docker daemon itself, and with it ${what.toLowerCase()} is not supported.`,
      remedy: "Run docker/setup-buildx-action in a step before; or leave out sbom and platforms.",
    }),
  },
];

function baseRemedy(why: string): string {
  if (/not found/.test(why) && !/host/.test(why)) {
    return "Check its name and tag; a private one needs the credentials of its registry.";
  }
  if (/\b429\b|too ?many ?requests/i.test(why)) {
    return "Its registry limits how often images are pulled, most of all without credentials: log in to it in a step before, or take the image from a mirror.";
  }
  return wasDenied(why)
    ? "It is private or does not exist: check its name, and log in to its registry."
    : "Check that BuildKit can reach that registry from where it runs.";
}

/** An image that the build needs, with what needs it: FROM is not all that names images. */
function imageWanted(
  { name, dockerfile, located }: FailedBuild,
  image: string,
  why: string,
): Pick<UserErrorParts, "title" | "cause"> {
  const { instruction = "", line } = located ?? {};
  const where = located === undefined ? dockerfile : `${dockerfile}:${line}`;
  if (located === undefined) {
    return {
      title: `${name}: an image that the build needs cannot be had`,
      cause: /sbom|syft/i.test(image)
        ? `The input sbom needs the image ${image}: ${why}.`
        : `The build needs the image ${image}: ${why}.`,
    };
  }
  if (/^#\s*syntax/i.test(instruction)) {
    const title = `${name}: the Dockerfile's syntax cannot be had`;
    return { title, cause: `${where} asks for the syntax ${image}: ${why}.` };
  }
  if (/^FROM\b/i.test(instruction)) {
    const title = `${name}: the base image cannot be had`;
    return { title, cause: `${where} starts from ${image}: ${why}.` };
  }
  const title = `${name}: an image that the Dockerfile names cannot be had`;
  const stage = /\bfrom=/.test(instruction) ? ", which no stage is called" : "";
  return { title, cause: `${where} takes files from ${image}${stage}: ${why}.` };
}

function fileMissing(
  { name, dockerfile, located, missing }: FailedBuild,
  path: string,
): UserErrorParts {
  const where = located === undefined ? dockerfile : `${dockerfile}:${located.line}`;
  const from = /--from=(\S+)/.exec(located?.instruction ?? "")?.[1];
  const title = `${name}: a file to copy is missing`;
  if (from !== undefined) {
    return {
      title,
      cause: `${where}: ${shorten(located?.instruction ?? "")} failed: ${from} has no ${path}.`,
      remedy: `Check the path, and that ${from} makes it.`,
    };
  }
  const file = path.replace(/^\//, "");
  return {
    title,
    cause: `${where}: ${shorten(located?.instruction ?? "")} failed: the build context has no ${file}.${missing === undefined ? "" : ` ${missing}`}`,
    remedy:
      "Check the path, which is relative to the service's context, and that .dockerignore does not leave it out.",
  };
}
