import { relative } from "node:path";
import { UserError } from "../failure/index.ts";
import { CommandFailed, execute } from "../process/index.ts";
import type { World } from "../world/index.ts";
import type { ManifestText } from "./documents.ts";

/** The ways to build a kustomization, in the order in which they are tried. */
const BUILDERS = [
  { program: "kustomize", args: ["build"] },
  { program: "kubectl", args: ["kustomize"] },
] as const;

const PATIENCE_MS = 120_000;

/** A kustomization that was built, and by what. */
export interface Built {
  readonly text: ManifestText;
  /** `kustomize build`, `kubectl kustomize` */
  readonly by: string;
}

/**
 * Builds a kustomization with kustomize, or with kubectl where kustomize is not installed.
 *
 * @throws {UserError} when neither is there, or with the program's own words when it fails.
 */
export async function buildKustomization(
  folder: string,
  workspace: string,
  { signal, secrets }: Pick<World, "signal" | "secrets">,
): Promise<Built> {
  const name = relative(workspace, folder) || ".";
  for (const { program, args } of BUILDERS) {
    const by = [program, ...args].join(" ");
    try {
      const command = { program, args: [...args, folder], cwd: workspace };
      const { stdout } = await execute(command, { signal, secrets, deadline: PATIENCE_MS });
      return { text: { name: `${name} (${by})`, text: stdout }, by };
    } catch (error) {
      if (!(error instanceof CommandFailed)) throw error;
      signal.throwIfAborted();
      if (error.why !== "not-found") throw failed(name, by, error);
    }
  }
  throw new UserError({
    title: "Nothing here can build a kustomization",
    cause: `${name} is a kustomization, and neither kustomize nor kubectl is installed on this runner.`,
    remedy: "Install one of them before, as with the action setup-tools.",
  });
}

function failed(name: string, by: string, error: CommandFailed): UserError {
  const lines = error.stderrTail.split("\n").filter((line) => line.trim() !== "");
  const words = lines.findLast((line) => /error/i.test(line)) ?? lines.at(-1) ?? error.message;
  return new UserError(
    {
      title: "The kustomization cannot be built",
      cause: `${by} ${name}: ${words.replace(/^Error: /, "").trim()}`.replace(/[^.?!]$/, "$&."),
      remedy:
        error.why === "deadline"
          ? `It took longer than ${PATIENCE_MS / 1_000} s: bases from other hosts may not be reachable.`
          : "Correct the kustomization; nothing was changed.",
      ...(lines.length > 1 ? { evidence: error.stderrTail } : {}),
    },
    { reason: error },
  );
}
