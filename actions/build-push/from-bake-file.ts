import {
  type BakeFile,
  type BakeFileTarget,
  definitionFiles,
  readBakeFile,
} from "../../shared/bake-file/index.ts";
import { findBuildx } from "../../shared/buildkit/index.ts";
import { asLiteral } from "../../shared/image-tags/index.ts";
import { readDockerConfig } from "../../shared/registry/index.ts";
import type { World } from "../../shared/world/index.ts";
import type { Options } from "./inputs.ts";
import type { Problem } from "./problem.ts";
import type { WrittenService } from "./service-input.ts";

/** Services with what was noticed while they were read. */
export interface Found {
  readonly written: readonly WrittenService[];
  readonly problems: readonly Problem[];
  readonly notes: readonly string[];
}

/**
 * The targets of bake and compose files, as buildx reads them, which is where the paths in them
 * start from the folder.
 *
 * @param files as the input `bake-file` names them, relative to the folder, which is absolute.
 */
export async function servicesInBakeFile(
  files: readonly string[],
  options: Options,
  folder: string,
  workspace: string,
  { environment, signal, secrets }: World,
): Promise<Found> {
  const found = await definitionFiles(files, folder, workspace);
  if (found.problems.length > 0) {
    const problems = found.problems.map((problem) => ({ where: "bake-file", problem }));
    return { written: [], problems, notes: [] };
  }
  const buildx = await findBuildx(environment, await readDockerConfig(environment));
  const bakeFile = await readBakeFile(
    { files: found.files, targets: options.targets ?? [], directory: folder, buildx, environment },
    { signal, secrets },
  );
  const shown = found.files.map((file) => file.shown).join(", ");
  return translated(bakeFile, shown, options);
}

/**
 * Services from the targets of a file. What the step says of platforms, labels and build arguments
 * goes before what the file says, as `--set` does with buildx. Pure.
 */
export function translated(bakeFile: BakeFile, file: string, options: Options): Found {
  const problems: Problem[] = bakeFile.refusals.map(({ target, key, problem }) => {
    return { where: `${file}, ${target}: ${key}`, problem };
  });
  const written = bakeFile.targets.map((target): WrittenService => {
    const { name, linked, at } = target;
    const prefix = `${at?.file ?? file}, ${name}: `;
    for (const { key, problem } of target.refusals) {
      problems.push({ where: `${prefix}${key}`, problem, at });
    }
    return { prefix, input: inputOf(target, options), references: target.tags, linked, at };
  });
  return { written, problems, notes: bakeFile.notes };
}

function inputOf(target: BakeFileTarget, options: Options): WrittenService["input"] {
  const { name, args, secrets, platforms, labels, annotations } = target;
  const { refusals, at, tags, linked, ...alike } = target;
  return {
    ...alike,
    name,
    labels: literal(labels, options.labels),
    annotations: literal(annotations, options.annotations),
    buildArgs: { ...args, ...options.buildArgs },
    secrets: { ...secrets, ...options.secrets },
    platforms: options.platforms ?? (platforms.length === 0 ? undefined : platforms),
  };
}

/** Texts of a file, in which buildx knows no expressions; without those that the step has too. */
function literal(
  texts: Readonly<Record<string, string>>,
  ofStep: Readonly<Record<string, string>> = {},
): Readonly<Record<string, string>> {
  const kept = Object.entries(texts).filter(([name]) => !(name in ofStep));
  return Object.fromEntries(kept.map(([name, text]) => [name, asLiteral(text)]));
}
