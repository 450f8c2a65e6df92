import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { devNull, tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { execute } from "../../../shared/process/index.ts";
import { Secrets } from "../../../shared/secrets/index.ts";

const root = join(import.meta.dirname, "..", "..", "..");

/** A team's repository, made for one run. */
export interface Workspace extends AsyncDisposable {
  readonly folder: string;
  read(path: string): Promise<string>;
  write(path: string, content: string): Promise<void>;
  /** Records everything as it is. */
  commit(message: string): Promise<void>;
}

/**
 * Makes a repository of the quickstart's files that ships itself with this checkout's workflows and
 * built actions.
 *
 * On GitHub the actions come from Seaworthy's own repository; act knows neither `$/` nor how to
 * fetch them from nowhere, so that here they lie in the team's repository itself.
 */
export async function makeWorkspace(): Promise<Workspace> {
  const folder = await mkdtemp(join(tmpdir(), "seaworthy-workspace-"));
  const workspace = new GitWorkspace(folder);
  try {
    await copyQuickstart(folder);
    await copySeaworthy(workspace);
    await git(folder, "init", "--quiet", "--initial-branch=main");
    await workspace.commit("The service, its chart, and the workflow that ships it");
  } catch (error) {
    await workspace[Symbol.asyncDispose]();
    throw error;
  }
  return workspace;
}

async function copyQuickstart(folder: string): Promise<void> {
  await cp(join(root, "examples", "quickstart"), folder, {
    recursive: true,
    filter: (source) => !source.endsWith("/node_modules"),
  });
}

async function copySeaworthy(workspace: Workspace): Promise<void> {
  const actions = await readdir(join(root, "actions"));
  for (const action of actions) {
    const manifest = join("actions", action, "action.yml");
    await workspace.write(manifest, await readFile(join(root, manifest), "utf8"));
    const built = join("dist", action);
    await cp(join(root, built), join(workspace.folder, built), { recursive: true });
  }
  for (const name of ["deploy.yml", "rollback.yml", "verify-backups.yml"]) {
    const workflow = join(".github/workflows", name);
    const text = ownActions(await readFile(join(root, workflow), "utf8"));
    await workspace.write(workflow, withStandIn(withCheckouts(text)));
  }
  await workspace.write(`${STAND_IN}/action.yml`, UPLOAD);
  const caller = ".github/workflows/ship.yml";
  await workspace.write(caller, ownWorkflow(await workspace.read(caller)));
}

/** `$/actions/x`, the action at the workflow's own revision, becomes the repository's own. */
function ownActions(workflow: string): string {
  return workflow.replaceAll("uses: $/", "uses: ./");
}

/** act reaches no other repository: what is uploaded is put into the folder `uploads` in its place. */
const STAND_IN = ".github/stand-ins/upload-artifact";
const UPLOAD = `name: Upload artifact
inputs:
  name: { required: true }
  path: { required: true }
  if-no-files-found: { default: warn }
runs:
  using: composite
  steps:
    - shell: bash
      env: { NAME: "\${{ inputs.name }}", FOLDER: "\${{ inputs.path }}" }
      run: mkdir -p "$UPLOADS" && cp -r "$FOLDER" "$UPLOADS/$NAME"
`;

function withStandIn(workflow: string): string {
  return workflow.replaceAll(/uses: actions\/upload-artifact@\S+/g, `uses: ./${STAND_IN}`);
}

/** Actions of the repository itself are there only after a checkout, which `$/` does not need. */
function withCheckouts(workflow: string): string {
  if (workflow.includes("uses: actions/checkout@")) return workflow;
  return workflow.replaceAll(/^( +)steps:$/gm, "$&\n$1  - uses: actions/checkout@v5");
}

/** `owner/name/.github/workflows/x@ref` becomes the repository's own. */
function ownWorkflow(caller: string): string {
  return caller.replace(/uses: [\w.-]+\/[\w.-]+\/(\.github\/workflows\/\S+)@\S+/, "uses: ./$1");
}

class GitWorkspace implements Workspace {
  readonly folder: string;

  constructor(folder: string) {
    this.folder = folder;
  }

  read(path: string): Promise<string> {
    return readFile(join(this.folder, path), "utf8");
  }

  async write(path: string, content: string): Promise<void> {
    await mkdir(join(this.folder, dirname(path)), { recursive: true });
    await writeFile(join(this.folder, path), content);
  }

  async commit(message: string): Promise<void> {
    await git(this.folder, "add", "--all");
    await git(this.folder, "commit", "--quiet", "--message", message);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.folder, { recursive: true, force: true, maxRetries: 5 });
  }
}

/** Git as it is out of the box: the user's own settings may sign commits or run hooks. */
async function git(folder: string, ...args: readonly string[]): Promise<void> {
  const who = { NAME: "Quickstart team", EMAIL: "team@example.com" };
  await execute(
    {
      program: "git",
      args,
      directory: folder,
      environment: {
        GIT_CONFIG_GLOBAL: devNull,
        GIT_CONFIG_SYSTEM: devNull,
        GIT_AUTHOR_NAME: who.NAME,
        GIT_AUTHOR_EMAIL: who.EMAIL,
        GIT_COMMITTER_NAME: who.NAME,
        GIT_COMMITTER_EMAIL: who.EMAIL,
      },
    },
    { signal: new AbortController().signal, secrets: new Secrets() },
  );
}
