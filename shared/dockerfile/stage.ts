import { posix } from "node:path";
import { normalPlatform } from "../images/index.ts";
import { BadSubstitution, expand } from "./expand.ts";
import { flagsOf, type Line } from "./lines.ts";
import { type Mount, mountOf } from "./mount.ts";
import { remoteOf } from "./network.ts";
import { declarations, environment, plainName, type Surroundings, variablesOf } from "./scope.ts";

/** From one FROM to the next. */
export interface Stage {
  /** In small letters; "" for one without a name. */
  readonly name: string;
  /** What it is built on, variables replaced: an image, an earlier stage, or `scratch`. */
  readonly base: string;
  readonly platform: string | undefined;
  readonly line: number;
  readonly lines: readonly Line[];
}

/** What a stage needs to be built. */
export interface StageWork {
  /** Indexes of other stages. */
  readonly stages: readonly number[];
  readonly images: readonly {
    readonly name: string;
    readonly platform: string | undefined;
    readonly line: number;
  }[];
  readonly unseen: readonly string[];
  /** Paths of the context that it copies or mounts, `/`-separated, perhaps with wildcards. */
  readonly sources: readonly string[];
  /** Whether it may see any other file of the context too. */
  readonly seesAll: boolean;
  /** The image that it is built on, whose own ONBUILD lines run in it. */
  readonly base: string | undefined;
  readonly secrets: readonly {
    readonly id: string;
    readonly required: boolean | undefined;
    readonly line: number;
  }[];
  /** The environment that it leaves to stages built on it, as far as the Dockerfile sets it. */
  readonly env: ReadonlyMap<string, string>;
}

export interface StageSetting {
  /** All stages of the file, and the work of those before this one. */
  readonly stages: readonly Stage[];
  readonly before: readonly StageWork[];
  readonly globals: ReadonlyMap<string, string>;
  readonly sign: string;
  readonly surroundings: Surroundings;
  /** Plain names of the named contexts. */
  readonly contexts: ReadonlySet<string>;
  /** The ONBUILD lines of images, without the word. */
  readonly triggers: Readonly<Record<string, readonly string[]>>;
}

/**
 * Finds what a stage needs: instructions one after the other, with the variables that they see.
 *
 * Source: BuildKit, frontend/dockerfile/dockerfile2llb/convert.go.
 * @throws {BadSubstitution}
 */
export function stageWork(stage: Stage, setting: StageSetting): StageWork {
  const reader = new StageReader(stage, setting);
  return reader.read();
}

class StageReader {
  readonly #stage: Stage;
  readonly #setting: StageSetting;
  readonly #stages: number[] = [];
  readonly #images: StageWork["images"][number][] = [];
  readonly #unseen: string[] = [];
  readonly #sources: string[] = [];
  #seesAll = false;
  #base: string | undefined;
  readonly #secrets: StageWork["secrets"][number][] = [];
  /** Of ENV, and of ARG and ENV. */
  #env = new Map<string, string>();
  #values = new Map<string, string>();

  constructor(stage: Stage, setting: StageSetting) {
    this.#stage = stage;
    this.#setting = setting;
  }

  read(): StageWork {
    const isReplaced = this.#stage.name !== "" && this.#isContext(this.#stage.name);
    if (isReplaced) {
      this.#seesAll = true;
    } else {
      this.#readBase();
      for (const line of this.#stage.lines) this.#readOwnLine(line);
    }
    return {
      stages: this.#stages,
      images: this.#images,
      unseen: this.#unseen,
      sources: this.#sources,
      seesAll: this.#seesAll,
      base: this.#base,
      secrets: this.#secrets,
      env: this.#env,
    };
  }

  #readBase(): void {
    const { base, line, platform } = this.#stage;
    const { before, stages } = this.#setting;
    const index = stages
      .slice(0, before.length)
      .findLastIndex(({ name }) => name === base && name !== "");
    if (index < 0) {
      this.#needImage(base, line, platform);
      // What stands for an image may have ONBUILD lines that nobody can see from here.
      if (this.#isContext(base)) this.#seesAll = true;
      else if (base !== "scratch") this.#base = base;
      const { triggers, sign } = this.#setting;
      for (const trigger of triggers[base] ?? []) this.#readLine(inner(trigger, line, sign));
      return;
    }
    this.#stages.push(index);
    this.#env = new Map(before[index]?.env);
    this.#values = new Map(this.#env);
  }

  /** @throws {BadSubstitution} with the line. */
  #readOwnLine(line: Line): void {
    try {
      this.#readLine(line);
    } catch (error) {
      if (error instanceof BadSubstitution) error.line = line.line;
      throw error;
    }
  }

  #readLine({ keyword, flags, rest, line }: Line): void {
    if (keyword === "ONBUILD") {
      this.#readLine(inner(rest, line, this.#setting.sign));
    } else if (keyword === "ARG") {
      for (const [name, value] of declarations(rest)) this.#declare(name, value);
    } else if (keyword === "ENV") {
      for (const [name, value] of environment(rest)) this.#set(name, value);
    } else if (keyword === "COPY") {
      const from = flags.find(([flag]) => flag === "from")?.[1];
      if (from === undefined) for (const word of sourcesOf(rest)) this.#see(word);
      else this.#needFrom(from, line, true);
    } else if (keyword === "ADD") {
      this.#readAdd(flags, rest, line);
    } else if (keyword === "RUN") {
      for (const [flag, value] of flags)
        if (flag === "mount") this.#readMount(mountOf(value), line);
    }
  }

  #declare(name: string, value: string | undefined): void {
    const { globals, surroundings } = this.#setting;
    const given = surroundings.buildArgs[name];
    const found = given ?? (value === undefined ? globals.get(name) : this.#expanded(value));
    // ENV wins over ARG.
    if (found !== undefined && !this.#env.has(name)) this.#values.set(name, found);
  }

  #set(name: string, value: string): void {
    const text = this.#expanded(value);
    this.#env.set(name, text);
    this.#values.set(name, text);
  }

  #expanded(word: string): string {
    return expand(word, variablesOf(this.#values), this.#setting.sign).text;
  }

  #readMount({ type, from, source, secret, required }: Mount, line: number): void {
    if (type === "secret") this.#secrets.push({ id: secret, required, line });
    else if (from !== "") this.#needFrom(from, line, false);
    else if (type !== "cache" && type !== "tmpfs" && type !== "ssh") this.#see(source);
  }

  /** Notes a path of the context. */
  #see(word: string): void {
    const { text, unset } = expand(word, variablesOf(this.#values), this.#setting.sign);
    const path = posix.normalize(`/${text}`).replace(/^\/|\/$/g, "");
    if (unset.length > 0 || path === "" || path.includes("**")) this.#seesAll = true;
    else this.#sources.push(path);
  }

  /** `--from` of COPY names a stage by number too, that of a mount does not. */
  #needFrom(from: string, line: number, byNumber: boolean): void {
    const { stages } = this.#setting;
    const plain = from.toLowerCase();
    const named = stages.findLastIndex(({ name }) => name !== "" && name === plain);
    const index = byNumber && /^\d+$/.test(from) ? Number(from) : named;
    if (index >= 0) this.#stages.push(index);
    else this.#needImage(from, line, undefined);
  }

  #needImage(name: string, line: number, platform: string | undefined): void {
    if (name === "scratch" || this.#isContext(name)) return;
    const normal = platform === undefined ? undefined : normalPlatform(platform);
    this.#images.push({ name, platform: normal, line });
  }

  #isContext(name: string): boolean {
    return this.#setting.contexts.has(plainName(name));
  }

  #readAdd(flags: Line["flags"], rest: string, line: number): void {
    const checksum = flags.find(([flag]) => flag === "checksum")?.[1] ?? "";
    const isPinned = checksum !== "" && this.#expanded(checksum) !== "";
    for (const word of sourcesOf(rest)) {
      const { text, unset } = expand(word, variablesOf(this.#values), this.#setting.sign);
      const remote = remoteOf(text);
      if (remote === undefined) this.#see(word);
      if (isPinned || remote?.isPinned === true) continue;
      if (remote !== undefined) {
        this.#unseen.push(
          `line ${line} fetches ${shown(text)} from the network without a checksum`,
        );
      } else if (unset.length > 0 && /^['"]?\$/.test(word)) {
        this.#unseen.push(`line ${line} adds ${word}, which its base image may set to an address`);
      }
    }
  }
}

function inner(rest: string, line: number, sign: string): Line {
  const [, word = "", behind = ""] = /^(\S+)\s*([\s\S]*)$/.exec(rest) ?? [];
  const { flags, rest: inside } = flagsOf(behind, sign);
  return { keyword: word.toUpperCase(), flags, rest: inside.trim(), line };
}

/** All words but the last, which is the destination; also in the form of a JSON list. */
function sourcesOf(rest: string): readonly string[] {
  const words =
    jsonWords(rest) ?? rest.match(/(?:'[^']*'|"(?:\\[\s\S]|[^"\\])*"|\\[\s\S]|[^\s'"\\])+/g) ?? [];
  return words.slice(0, -1).filter((word) => !word.startsWith("<<"));
}

function jsonWords(rest: string): readonly string[] | undefined {
  if (!rest.startsWith("[")) return undefined;
  try {
    const words: unknown = JSON.parse(rest);
    return Array.isArray(words) ? words.map(String) : undefined;
  } catch {
    return undefined;
  }
}

/** An address without a password in it. */
function shown(address: string): string {
  return address.replace(/\/\/[^/@]*@/, "//").replace(/\?.*$/, "");
}
