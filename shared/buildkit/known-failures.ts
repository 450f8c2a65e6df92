import type { UserErrorParts } from "../failure/index.ts";
import { type DockerfileLocation, shorten } from "./build-error.ts";
import { pushRemedy, wasDenied } from "./push-remedy.ts";

/** What was being built, for messages. */
export interface BuildSubject {
  /** The service's name. */
  readonly name: string;
  /** The Dockerfile, relative to the workspace. */
  readonly dockerfile: string;
  /** host/path of the image. */
  readonly image: string;
  readonly builder: string | undefined;
}

/** A failed build as buildx tells it. */
export interface Failure {
  readonly subject: BuildSubject;
  /** The error in buildx's words. */
  readonly error: string;
  readonly located: DockerfileLocation | undefined;
  /** The step that was under way. */
  readonly during: string | undefined;
}

/** The failure in better words than buildx's; undefined when it is none of those known. */
export function knownFailure(failure: Failure): UserErrorParts | undefined {
  for (const { pattern, tell } of KNOWN) {
    const found = pattern.exec(failure.error);
    if (found !== null) return tell(failure, found);
  }
  return undefined;
}

/** Whether an error is of the builder, so that no target can be built. Takes buildx's words. */
export function concernsAll(error: string): boolean {
  return KNOWN.some(({ ofBuilder, pattern }) => ofBuilder === true && pattern.test(error));
}

interface KnownFailure {
  readonly pattern: RegExp;
  /** It is the builder's, whatever is built. */
  readonly ofBuilder?: true;
  readonly tell: (failure: Failure, found: RegExpExecArray) => UserErrorParts;
}

const KNOWN: readonly KnownFailure[] = [
  {
    pattern: /failed to push (\S+): (.*)$/s,
    tell: ({ subject: { name, image } }, [, reference = "", why = ""]) => {
      const path = image.slice(image.indexOf("/") + 1);
      const scope = wasDenied(why)
        ? ` The scope that is missing is repository:${path}:pull,push.`
        : "";
      return {
        title: `${name}: the image could not be pushed`,
        cause: `It was built, but pushing ${reference} failed: ${shorten(why)}.${scope}`,
        remedy: pushRemedy(why),
      };
    },
  },
  {
    pattern: /failed to resolve source metadata for (\S+?): (.*)$/s,
    tell: ({ subject, located }, [, image = "", why = ""]) => ({
      ...imageWanted(subject, located, image, shorten(why)),
      remedy:
        /not found/.test(why) && !/host/.test(why)
          ? "Check its name and tag; a private one needs the credentials of its registry."
          : wasDenied(why)
            ? "It is private or does not exist: check its name, and log in to its registry."
            : "Check that BuildKit can reach that registry from where it runs.",
    }),
  },
  {
    // `ref id::id: "/path": not found`, from COPY and ADD.
    pattern: /failed to calculate checksum of ref \S+: "(.*)": not found/s,
    tell: ({ subject, located }, [, path = ""]) => fileMissing(subject, located, path),
  },
  {
    pattern: /^target stage "(.*?)" could not be found(.*)/,
    tell: ({ subject: { name, dockerfile } }, [, stage = "", hint = ""]) => ({
      title: `${name}: the Dockerfile has no such stage`,
      cause: `${dockerfile} has no stage ${JSON.stringify(stage)}${hint}.`,
      remedy: "Name a stage that one of its FROM lines declares with AS.",
    }),
  },
  {
    pattern: /^secret (\S+): not found/,
    tell: ({ subject: { name, dockerfile } }, [, id = ""]) => ({
      title: `${name}: a secret is missing`,
      cause: `${dockerfile} asks for the secret ${id}, and this service gives none of that name.`,
      remedy: `Name it in the input secrets: \`${id}: THE_VARIABLE_THAT_HOLDS_IT\`.`,
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
    // Docker's words before and since version 28.
    pattern:
      /(?:Cannot connect to the Docker daemon|connect to the docker API) at (\S+?)[.;](?:\s|$)/,
    ofBuilder: true,
    tell: ({ subject: { builder } }, [, address = ""]) => ({
      title: "BuildKit cannot be reached",
      cause: `The builder ${builder ?? "in use"} is the Docker daemon at ${address}, which does not answer.`,
      remedy: "Start the Docker daemon, or name BuildKit's address in the input `buildkit`.",
    }),
  },
  {
    pattern: /^context deadline exceeded/,
    ofBuilder: true,
    tell: ({ subject: { builder } }) => ({
      title: "BuildKit cannot be reached",
      cause: `The BuildKit of the builder ${builder ?? "in use"} answered nothing buildx understands before its own deadline.`,
      remedy: "Check that it runs and that this runner may connect to it.",
    }),
  },
  {
    pattern: /rpc error: code = Unavailable desc = (.*)$/s,
    ofBuilder: true,
    tell: ({ subject: { name }, during }, [, why = ""]) => ({
      title: `${name}: BuildKit broke off`,
      cause: `BuildKit ended or was cut off from buildx${during === undefined ? "" : ` while it was at: ${shorten(during)}`} (${shorten(why)}).`,
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

/** An image that the build needs, with what needs it: FROM is not all that names images. */
function imageWanted(
  { name, dockerfile }: BuildSubject,
  located: DockerfileLocation | undefined,
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
  { name, dockerfile }: BuildSubject,
  located: DockerfileLocation | undefined,
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
    cause: `${where}: ${shorten(located?.instruction ?? "")} failed: the build context has no ${file}.`,
    remedy:
      "Check the path, which is relative to the service's context, and that .dockerignore does not leave it out.",
  };
}
