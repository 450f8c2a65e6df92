import { UserError, type UserErrorParts } from "../failure/index.ts";
import { locate } from "./locate.ts";

/** A build that broke, as buildah tells it. */
export interface Broken {
  /** The service's name. */
  readonly name: string;
  /** The Dockerfile, relative to the workspace. */
  readonly dockerfile: string;
  /** Its text; empty where it cannot be read here. */
  readonly text: string;
  /** The error in buildah's words. */
  readonly error: string;
  /** The last lines that were printed. */
  readonly output: readonly string[];
}

/** A failed build by buildah, told so that its author knows where to look. */
export function buildahFailure(broken: Broken): UserError {
  const { dockerfile, text, error, output } = broken;
  const step = /^(?:\[[^\]]*\]: )?(?:building at|committing container for) STEP "(.*)": /s.exec(
    error,
  )?.[1];
  const image = IMAGE.exec(error)?.[1];
  const wanted = step ?? (image === undefined ? undefined : `FROM ${image}`);
  const line = wanted === undefined ? undefined : locate(text, wanted);
  const where = line === undefined ? dockerfile : `${dockerfile}:${line}`;
  const parts = known(broken, where) ?? {
    title: `${broken.name}: the build failed`,
    cause: `buildah says: ${shorten(error) || "nothing"}.`,
    remedy: "The log above shows how far the build came.",
  };
  const evidence = output.slice(-20).join("\n");
  return new UserError({
    ...parts,
    ...(evidence === "" ? {} : { evidence }),
    at: line === undefined ? undefined : { file: dockerfile, line },
  });
}

const IMAGE = /initializing source docker:\/\/(\S+?): /;

function known({ name, error, output }: Broken, where: string): UserErrorParts | undefined {
  for (const { pattern, tell } of KNOWN) {
    const found = pattern.exec(error);
    if (found !== null) return tell({ name, where, words: output.at(-1) }, found);
  }
  return undefined;
}

interface Known {
  readonly pattern: RegExp;
  readonly tell: (
    told: { readonly name: string; readonly where: string; readonly words: string | undefined },
    found: RegExpExecArray,
  ) => UserErrorParts;
}

const KNOWN: readonly Known[] = [
  {
    pattern: /initializing source docker:\/\/(\S+?): (.*)$/s,
    tell: ({ name, where }, [, image = "", why = ""]) => ({
      title: `${name}: the base image cannot be had`,
      cause: `${where} starts from ${image}: ${shorten(why)}.`,
      remedy: "Check the image's name, and that this runner may pull it.",
    }),
  },
  {
    pattern: /STEP "((?:COPY|ADD) .*?)": .*copier: stat: "\/?([^"]*)": no such file/s,
    tell: ({ name, where }, [, step = "", file = ""]) => ({
      title: `${name}: a file to copy is missing`,
      cause: `${where}: ${shorten(step)} failed: there is no ${file}.`,
      remedy:
        "Check the path, which is relative to the service's context, and that .dockerignore does not leave it out.",
    }),
  },
  {
    pattern: /Unknown instruction: "(\w+)"/i,
    tell: ({ name, where }, [, word = ""]) => ({
      title: `${name}: the Dockerfile cannot be read`,
      cause: `${where}: there is no instruction ${word}.`,
      remedy:
        "Correct the word. Where the line is part of a here-document, this buildah is too old for it: version 1.33 or later knows them.",
    }),
  },
  {
    pattern: /target(?: stage)? "?([^"\s]+)"? (?:was )?not found/,
    tell: ({ name, where }, [, stage = ""]) => ({
      title: `${name}: there is no such stage`,
      cause: `${where} has no stage ${JSON.stringify(stage)}.`,
      remedy: "Name a stage that one of its FROM lines declares with AS.",
    }),
  },
  {
    pattern:
      /(?:secret(?:,)? (?:with id )?"?([\w.-]+)"? (?:not found|required but not provided)|no secret found with id "?([\w.-]+))/,
    tell: ({ name, where }, [, id, other]) => ({
      title: `${name}: a secret is missing`,
      cause: `${where} asks for the secret ${id ?? other}, and this service gives none of that name.`,
      remedy: `Name it in the input secrets: \`${id ?? other}: THE_VARIABLE_THAT_HOLDS_IT\`.`,
    }),
  },
  {
    pattern: /no space left on device/,
    tell: ({ name }) => ({
      title: `${name}: the disk is full`,
      cause: "buildah has no room left on this runner's disk.",
      remedy: "Remove what buildah keeps (buildah prune --all), or give the runner more room.",
    }),
  },
  {
    pattern: /STEP "(.*?)": (?:while running runtime: )?(exit status \d+|.*)$/s,
    tell: ({ name, where, words }, [, step = "", why = ""]) => ({
      title: `${name}: the Dockerfile does not build`,
      cause: `${where}: ${shorten(step)} failed: ${shorten(why)}.${words === undefined ? "" : ` Its last words: ${shorten(words)}`}`,
      remedy: "Mend that line; what the instruction printed is below the error.",
    }),
  },
];

const LONGEST = 400;

/** Fit for a sentence: on one line, without a full stop, and not too long. */
export function shorten(text: string): string {
  const plain = text.replace(/\s+/g, " ").trim().replace(/\.$/, "");
  return plain.length > LONGEST ? `${plain.slice(0, LONGEST)}…` : plain;
}
