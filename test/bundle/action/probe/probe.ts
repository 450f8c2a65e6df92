import type { Outcome } from "../../../../shared/action/index.ts";
import { UserError } from "../../../../shared/failure/index.ts";
import { execute } from "../../../../shared/process/index.ts";
import { codeBlock, escapeMarkdown } from "../../../../shared/report/index.ts";
import type { World } from "../../../../shared/world/index.ts";
import type { MODES, Options, OutputName } from "./inputs.ts";

/** An action that ends in whichever way it is asked to, to see what its runner is told. */
export async function probe(options: Options, world: World): Promise<Outcome<OutputName>> {
  world.log.info(`the probe begins: ${options.mode}`);
  return await endings[options.mode](options, world);
}

type Ending = (options: Options, world: World) => Promise<Outcome<OutputName>>;

const outputs = { digest: "sha256:abc", report: { pods: 3 } };
const passed: Outcome<OutputName> = { outputs, summary: "## ✅ proved\n" };
const failure = new UserError({
  title: "The rollout failed",
  cause: "Pod web-1 crashes: exit status 3.",
  remedy: "Mend the program.",
  evidence: "line one\nline two",
});

/** Waits for the cancellation, at most a minute. */
async function untilAborted(clock: World["clock"], signal: AbortSignal): Promise<void> {
  await clock.sleep(60_000, signal).catch((reason) => {
    if (reason !== signal.reason) throw reason;
  });
}

const endings: Record<(typeof MODES)[number], Ending> = {
  pass: async () => passed,
  fail: async () => ({ outputs, summary: "", failure }),
  talk: async (_, { clock, log, signal }) => {
    for (let line = 0; line < 20; line += 1) {
      log.info(`line ${line}`);
      await clock.sleep(10, signal);
    }
    return passed;
  },
  "fail-with-summary": async () => ({ outputs, summary: "## ❌ a table\n", failure }),
  "throw-error": async () => {
    throw new Error("an invariant is broken", { cause: new Error("the deeper reason") });
  },
  "throw-user-error": async () => {
    throw failure;
  },
  "throw-undefined": async () => {
    throw undefined;
  },
  "throw-null": async () => {
    throw null;
  },
  "throw-object": async () => {
    throw {};
  },
  "throw-hostile": async () => {
    throw new Proxy(new Error(), {
      get() {
        throw new Error("no");
      },
      getPrototypeOf() {
        throw new Error("no");
      },
    });
  },
  "reject-unawaited": async (_, { clock, signal }) => {
    void Promise.reject(undefined);
    await clock.sleep(60_000, signal);
    return passed;
  },
  "throw-in-timer": async (_, { clock, signal, log }) => {
    setTimeout(() => {
      throw new TypeError("thrown in a timer");
    }, 10);
    try {
      await clock.sleep(60_000, signal);
    } catch {
      log.info("put right after a stray error");
    }
    return passed;
  },
  "never-settle": () => new Promise(() => {}),
  leave: async () => process.exit(0),
  // biome-ignore lint/suspicious/noExplicitAny: what the compiler could not see.
  "no-outcome": async () => undefined as any,
  "plain-error-as-failure": async () => ({
    ...passed,
    failure: new RangeError("not for users") as unknown as UserError,
  }),
  "cyclic-output": async () => {
    const circle: { self?: object } = {};
    circle.self = circle;
    return { outputs: { report: circle }, summary: "" };
  },
  forge: async ({ userText }, { log }) => {
    log.info(userText);
    log.debug(userText);
    log.warning(userText, userText);
    log.group(userText, [userText, userText]);
    return {
      outputs: { digest: userText },
      summary: "",
      failure: new UserError({
        title: userText,
        cause: userText,
        remedy: userText,
        evidence: userText,
        at: { file: userText, line: 3 },
      }),
    };
  },
  leak: async ({ token = "" }, { log }) => {
    log.info(`the token is ${token}`);
    log.info(`in colour: ${token.slice(0, 3)}\u001b[31m${token.slice(3)}`);
    const evidence = `Authorization: Basic ${Buffer.from(`user:${token}`).toString("base64")}`;
    return {
      outputs: { digest: token, report: { token } },
      summary: `## ❌\n\n${escapeMarkdown(token)}\n\n${codeBlock(token)}`,
      failure: new UserError({ title: token, cause: token, remedy: token, evidence }),
    };
  },
  "leak-late": async ({ userText }, { log, secrets }) => {
    secrets.add(userText);
    log.info(`the token is ${userText}`);
    throw new Error(`refused: ${userText}`);
  },
  "huge-summary": async () => ({
    ...passed,
    summary: `## ✅\n\n${"äöü 😀 line\n".repeat(100_000)}`,
  }),
  "print-environment": async (_, { signal, secrets, log }) => {
    const { stdout } = await execute({ program: "env", args: [] }, { signal, secrets });
    log.info(stdout);
    return passed;
  },
  wait: async (_, { clock, signal }) => {
    await clock.sleep(60_000, signal);
    return passed;
  },
  "wait-and-heal": async (_, { clock, signal, aftermath, log }) => {
    await untilAborted(clock, signal);
    await clock.sleep(300, aftermath);
    log.info("healed");
    return {
      outputs,
      summary: "",
      failure: new UserError({
        title: "Cancelled",
        cause: "The upgrade was cancelled; revision 3 was put back.",
        remedy: "Run it again.",
      }),
    };
  },
  "wait-and-break": async (_, { clock, signal }) => {
    await untilAborted(clock, signal);
    throw new DOMException("This operation was aborted", "AbortError");
  },
  "wait-and-throw-stray": async (_, { clock, signal, aftermath, log }) => {
    await untilAborted(clock, signal);
    void Promise.reject(new Error("a stray one"));
    await clock.sleep(300, aftermath);
    log.info("healed all the same");
    throw signal.reason;
  },
  "ignore-cancellation": async (_, { clock }) => {
    await clock.sleep(60_000);
    return passed;
  },
  "finish-in-spite": async (_, { clock }) => {
    await clock.sleep(1_500);
    return passed;
  },
};
