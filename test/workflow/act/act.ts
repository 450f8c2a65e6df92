import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { CommandFailed, execute } from "../../../shared/process/index.ts";
import { Secrets } from "../../../shared/secrets/index.ts";
import { type ActEvent, type Annotation, readEvent } from "./events.ts";

/** A workflow to run as GitHub would, and what GitHub would know. */
export interface ActRequest {
  /** The repository: a git working tree. */
  readonly repository: string;
  /** The workflow's file within it. */
  readonly workflow: string;
  readonly event?: string;
  readonly secrets: Readonly<Record<string, string>>;
  /** The repository's variables, `vars.NAME`. */
  readonly variables: Readonly<Record<string, string>>;
  /** What the runner's machine would have set. */
  readonly environment: Readonly<Record<string, string>>;
  /** Folders with act and with what the steps call, first on the PATH. */
  readonly path: readonly string[];
  readonly onEvent?: (event: ActEvent) => void;
  /** Ends the run when it aborts. */
  readonly signal?: AbortSignal;
  /** The longest it may take, in milliseconds. */
  readonly deadline?: number;
}

/** What became of a run. */
export class ActResult {
  readonly passed: boolean;
  readonly events: readonly ActEvent[];

  constructor(passed: boolean, events: readonly ActEvent[]) {
    this.passed = passed;
    this.events = events;
  }

  /** The outputs of a step; act evaluates those of a job or workflow only when it succeeds. */
  outputs(step: string): Readonly<Record<string, string>> {
    const set = this.events.filter((event) => event.kind === "output" && event.step === step);
    return Object.fromEntries(set.map((event) => named(event)));
  }

  /** How each job ended, by its id. */
  get jobs(): Readonly<Record<string, string>> {
    const ended = this.events.flatMap((event) =>
      event.kind === "job-ended" ? [[event.job, event.result] as const] : [],
    );
    return Object.fromEntries(ended);
  }

  /** How each step ended, by its id. */
  get steps(): Readonly<Record<string, string>> {
    const ended = this.events.flatMap((event) =>
      event.kind === "step-ended" ? [[event.step, event.result] as const] : [],
    );
    return Object.fromEntries(ended);
  }

  get annotations(): readonly Annotation[] {
    return this.events.filter((event) => event.kind === "annotation");
  }

  /** The job summary of one step, or of all. */
  summary(step?: string): string {
    return this.events
      .flatMap((event) =>
        event.kind === "summary" && (step === undefined || event.step === step)
          ? [event.markdown]
          : [],
      )
      .join("\n");
  }

  /** The whole log, for people who look for what went wrong. */
  get log(): string {
    return this.events.map(spoken).filter(Boolean).join("\n");
  }
}

function named(event: ActEvent): readonly [string, string] {
  return event.kind === "output" ? [event.name, event.value] : ["", ""];
}

function spoken(event: ActEvent): string {
  switch (event.kind) {
    case "line":
      return `${event.job}/${event.step} | ${event.text}`;
    case "annotation":
      return `${event.job}/${event.step} | ${event.level}: ${event.title}: ${event.message}`;
    case "step-ended":
      return `${event.job}/${event.step} : ${event.result} after ${Math.round(event.milliseconds)} ms`;
    case "job-ended":
      return `${event.job} : ${event.result}`;
    case "note":
      return event.text;
    default:
      return "";
  }
}

/** What a runner's machine has set too, as far as programs need it to reach the outside. */
const INHERITED =
  /^(LANG|LC_.*|TERM|TZ|TMPDIR|.*_CA_BUNDLE|NODE_EXTRA_CA_CERTS|SSL_CERT_.*|(https?|no|all)_proxy)$/i;

/** Runs a workflow through act on this machine itself, without containers. */
export async function runWorkflow(request: ActRequest): Promise<ActResult> {
  const folder = await mkdtemp(join(tmpdir(), "seaworthy-act-"));
  const events: ActEvent[] = [];
  const onLine = (line: string) => {
    const event = readEvent(line);
    if (event === undefined) return;
    events.push(event);
    request.onEvent?.(event);
  };
  try {
    const args = await prepare(folder, request);
    await execute(
      {
        program: "act",
        args,
        directory: request.repository,
        environment: environmentOf(folder, request),
      },
      {
        signal: request.signal ?? new AbortController().signal,
        secrets: new Secrets(),
        deadline: request.deadline,
        onLine,
        keep: 0,
      },
    );
    return new ActResult(true, events);
  } catch (error) {
    request.signal?.throwIfAborted();
    if (!(error instanceof CommandFailed) || error.why !== "exit") throw error;
    return new ActResult(false, events);
  } finally {
    await rm(folder, { recursive: true, force: true, maxRetries: 5 });
  }
}

/** Writes what act reads; secrets go by file, for everybody may read a command line. */
async function prepare(folder: string, request: ActRequest): Promise<string[]> {
  const event = request.event ?? "push";
  const file = async (name: string, content: string) => {
    await writeFile(join(folder, name), content, { mode: 0o600 });
    return join(folder, name);
  };
  await Promise.all(["home", "cache"].map((name) => mkdir(join(folder, name))));
  return [
    event,
    "--workflows",
    request.workflow,
    "--platform",
    "ubuntu-latest=-self-hosted",
    "--eventpath",
    await file("event.json", JSON.stringify({ ref: "refs/heads/main" })),
    "--secret-file",
    await file("secrets", dotenv(request.secrets)),
    "--var-file",
    await file("variables", dotenv(request.variables)),
    "--env-file",
    await file("environment", dotenv(request.environment)),
    "--input-file",
    await file("inputs", ""),
    "--no-cache-server",
    "--pull=false",
    "--json",
    // Otherwise it leaves the workspaces of failed jobs behind.
    "--rm",
  ];
}

function dotenv(values: Readonly<Record<string, string>>): string {
  return (
    Object.entries(values)
      // A dollar would have act look for a variable.
      .map(([name, value]) => `${name}=${JSON.stringify(value).replaceAll("$", "\\$")}\n`)
      .join("")
  );
}

function environmentOf(folder: string, { path }: ActRequest): Record<string, string | undefined> {
  const others = Object.keys(process.env).filter((name) => !INHERITED.test(name));
  return {
    ...Object.fromEntries(others.map((name) => [name, undefined])),
    // The Node that runs this is the runner's Node too.
    PATH: [...path, dirname(process.execPath), process.env.PATH ?? ""].join(delimiter),
    HOME: join(folder, "home"),
    XDG_CACHE_HOME: join(folder, "cache"),
    // Steps have a terminal, in which a pager would wait for a key.
    GIT_PAGER: "cat",
  };
}
