import type { Outcome } from "../../shared/action/index.ts";
import { UserError } from "../../shared/failure/index.ts";
import { Journal } from "../../shared/journal/index.ts";
import {
  builtInTable,
  findTool,
  openDownloader,
  type Settings,
  setUp,
  type Tool,
} from "../../shared/tools/index.ts";
import type { World } from "../../shared/world/index.ts";
import type { Options, OutputName } from "./inputs.ts";
import { readOwnTable } from "./own-table.ts";
import { failureOf, type Result, report } from "./report.ts";
import type { Request } from "./requests.ts";
import { summarize } from "./summary.ts";

/** Downloads share one line: more at once only make each slower. */
const SIDE_BY_SIDE = 3;

/**
 * Makes every tool that is asked for ready for later steps, and proves it by running it. What
 * cannot be had fails the step, beside those that could: no other version takes its place.
 *
 * @throws {UserError} when a tool or an own table is not known or wrong, before anything is done.
 */
export async function setupTools(options: Options, world: World): Promise<Outcome<OutputName>> {
  const journal = new Journal(world.clock);
  const own = await readOwnTable(options.table, world.environment);
  const asked = options.tools.map((request) => ({
    request,
    tool: findTool(request.name, builtInTable, own),
  }));
  const settings = settingsOf(
    options,
    asked.map(({ tool }) => tool),
  );
  hideProxyPasswords(world);
  const results = await setUpAll(asked, settings, journal, world);
  const failure = failureOf(results, world.signal);
  const seconds = Math.round(journal.elapsed() / 100) / 10;
  return {
    outputs: { tools: report(results), seconds },
    summary: summarize(results, journal.phases, seconds, failure),
    failure,
    path: [...new Set(results.flatMap(({ ready }) => ready?.folders ?? []))],
  };
}

/** @throws {UserError} when inputs do not go together. */
function settingsOf(options: Options, tools: readonly Tool[]): Settings {
  const names = tools.map(({ name }) => name);
  const twice = names.find((name, index) => names.indexOf(name) < index);
  if (twice !== undefined) {
    throw wrongInput("tools", `it asks for ${twice} under two of its names.`);
  }
  const mirrors = options.mirror ?? { all: undefined, byTool: {} };
  const stray = Object.keys(mirrors.byTool).find((name) => !names.includes(name));
  if (stray !== undefined) {
    throw wrongInput("mirror", `it names ${stray}, and the tools are ${names.join(", ")}.`);
  }
  if (options.mirrorHeader !== undefined && options.mirror === undefined) {
    throw wrongInput("mirror-header", "there is no mirror that it could be sent to.");
  }
  return {
    reuse: options.reuse,
    mirrors,
    mirrorHeaders: options.mirrorHeader ?? {},
    timeout: options.timeout,
  };
}

function wrongInput(name: string, problem: string): UserError {
  return new UserError({
    title: "One input is wrong",
    cause: `${name}: ${problem}`,
    remedy: "Correct the step's `with:` and run again; nothing was installed.",
  });
}

interface Asked {
  readonly request: Request;
  readonly tool: Tool;
}

async function setUpAll(
  asked: readonly Asked[],
  settings: Settings,
  journal: Journal,
  world: World,
): Promise<readonly Result[]> {
  const downloader = openDownloader(world);
  const results: Result[] = [];
  const waiting = [...asked.entries()];
  const inTurn = async () => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      const [index, { request, tool }] = next;
      const began = world.clock.now();
      const work = () => setUp(tool, request.range, settings, downloader, world);
      const outcome = await journal.phase(tool.name, work).then(
        (ready) => ({ ready, failure: undefined }),
        (error: unknown) => ({ ready: undefined, failure: expected(error, world.signal) }),
      );
      const seconds = Math.round((world.clock.now() - began) / 100) / 10;
      results[index] = { tool: tool.name, asked: request.range.text, seconds, ...outcome };
    }
  };
  try {
    await Promise.all(Array.from({ length: Math.min(SIDE_BY_SIDE, asked.length) }, inTurn));
  } finally {
    await downloader.close();
  }
  return results;
}

/** What the user can act on; anything else is a bug, and ends the run. */
function expected(error: unknown, signal: AbortSignal): UserError {
  if (error instanceof UserError) return error;
  if (signal.aborted) return signal.reason;
  throw error;
}

/** A proxy's password stands in its URL, which errors may quote. */
function hideProxyPasswords({ environment, secrets }: World): void {
  for (const name of ["http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY"]) {
    const password = URL.parse(environment[name] ?? "")?.password;
    if (password) secrets.add(decodeURIComponent(password));
  }
}
