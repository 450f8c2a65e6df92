import { type Place, UserError, type UserErrorParts } from "../failure/index.ts";
import { buildxError, type DockerfileLocation, locateInDockerfile } from "./build-error.ts";
import type { BuildProgress, FailedStep } from "./progress.ts";

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

/** A failed build, told so that its author knows where to look. */
export function buildFailure(subject: BuildSubject, progress: BuildProgress): UserError {
  const error = buildxError(progress.text);
  for (const { pattern, tell } of KNOWN) {
    const found = pattern.exec(error);
    const parts = found === null ? undefined : tell(subject, found, error);
    if (parts !== undefined) return new UserError({ ...parts, ...proof(subject, progress) });
  }
  const located = locateInDockerfile(progress.text);
  const parts =
    located === undefined
      ? anyFailure(subject, error)
      : instructionFailure(subject, located, error, progress.failed);
  return new UserError({ ...parts, ...proof(subject, progress) });
}

function instructionFailure(
  { name, dockerfile }: BuildSubject,
  { line, instruction }: DockerfileLocation,
  error: string,
  failed: FailedStep | undefined,
): UserErrorParts {
  // The command stands in the instruction already.
  const why = error.replace(/^process ".*" did not complete successfully: /s, "");
  const last = failed?.lastWords;
  const words = last === undefined || why.includes(last) ? "" : ` Its last words: ${last}`;
  return {
    title: `${name}: the Dockerfile does not build`,
    cause: `${dockerfile}:${line}: ${shorten(instruction)} failed: ${shorten(why)}.${words}`,
    remedy: "Mend that line; what the instruction printed is below the error.",
  };
}

function anyFailure({ name }: BuildSubject, error: string): UserErrorParts {
  return {
    title: `${name}: the build failed`,
    cause: `buildx says: ${shorten(error) || "nothing"}.`,
    remedy: "The log above shows how far the build came.",
  };
}

/** The Dockerfile's lines and the end of what the failed instruction printed. */
function proof(
  { dockerfile }: BuildSubject,
  progress: BuildProgress,
): { readonly evidence?: string; readonly at?: Place } {
  const located = locateInDockerfile(progress.text);
  const { failed } = progress;
  const parts = [
    ...(located === undefined ? [] : [`${dockerfile}:${located.line}`, ...located.excerpt]),
    ...(failed === undefined || failed.output.length === 0
      ? []
      : ["", `Output of ${shorten(failed.name)}:`, ...failed.output]),
  ];
  const rest = parts.length > 0 ? parts : progress.text.slice(-20);
  return {
    ...(rest.length === 0 ? {} : { evidence: rest.join("\n").trim() }),
    ...(located === undefined ? {} : { at: { file: dockerfile, line: located.line } }),
  };
}

interface KnownFailure {
  readonly pattern: RegExp;
  readonly tell: (
    subject: BuildSubject,
    found: RegExpExecArray,
    error: string,
  ) => UserErrorParts | undefined;
}

const DENIED = /\b40[13]\b|denied|unauthorized|insufficient_scope|forbidden/i;

const KNOWN: readonly KnownFailure[] = [
  {
    pattern: /failed to push (\S+): (.*)$/s,
    tell: ({ name, image }, [, reference = "", why = ""]) => {
      const path = image.slice(image.indexOf("/") + 1);
      const denied = DENIED.test(why);
      const scope = denied ? ` The scope that is missing is repository:${path}:pull,push.` : "";
      return {
        title: `${name}: the image could not be pushed`,
        cause: `It was built, but pushing ${reference} failed: ${shorten(why)}.${scope}`,
        remedy: denied
          ? "Grant the account that scope. On ghcr.io the job needs `permissions: packages: write`, and the package must give this repository access."
          : "Check that BuildKit can reach the registry from where it runs; then run again, the build is cached.",
      };
    },
  },
  {
    pattern: /failed to resolve source metadata for (\S+?): (.*)$/s,
    tell: ({ name, dockerfile }, [, base = "", why = ""]) => ({
      title: `${name}: the base image cannot be had`,
      cause: `${dockerfile} starts from ${base}: ${shorten(why)}.`,
      remedy:
        /not found/.test(why) && !/host/.test(why)
          ? "Check its name and tag; a private one needs the credentials of its registry."
          : DENIED.test(why)
            ? "It is private or does not exist: check its name, and log in to its registry."
            : "Check that BuildKit can reach that registry from where it runs.",
    }),
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
    pattern: /^no builder "(.*)" found/,
    tell: (_, [, builder = ""]) => ({
      title: "There is no such builder",
      cause: `buildx knows no builder ${JSON.stringify(builder)} on this runner.`,
      remedy: "Run docker/setup-buildx-action before, or name BuildKit's address in `buildkit`.",
    }),
  },
  {
    pattern: /Cannot connect to the Docker daemon at (\S+)\./,
    tell: ({ builder }, [, address = ""]) => ({
      title: "BuildKit cannot be reached",
      cause: `The builder ${builder ?? "in use"} is the Docker daemon at ${address}, which does not answer.`,
      remedy: "Start the Docker daemon, or name BuildKit's address in the input `buildkit`.",
    }),
  },
  {
    pattern: /^context deadline exceeded/,
    tell: ({ builder }) => ({
      title: "BuildKit cannot be reached",
      cause: `The BuildKit of the builder ${builder ?? "in use"} answered nothing buildx understands before its own deadline.`,
      remedy: "Check that it runs and that this runner may connect to it.",
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

const LONGEST = 400;

function shorten(text: string): string {
  const plain = text.replace(/\s+/g, " ").trim().replace(/\.$/, "");
  return plain.length > LONGEST ? `${plain.slice(0, LONGEST)}…` : plain;
}
