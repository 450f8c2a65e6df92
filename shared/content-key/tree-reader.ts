import type { Hash } from "node:crypto";
import type { Dirent, Stats } from "node:fs";
import type { IgnoreRule } from "./ignore-rule.ts";

/** What is to be read of a folder, and how much of it. Plain data: it is sent to workers. */
export interface TreeRequest {
  /** Absolute path, without symbolic links. */
  readonly root: string;
  readonly rules: readonly IgnoreRule[];
  /**
   * Paths that are seen, with all below them, as sources of regular expressions for each name on the
   * way; undefined when everything is. A symbolic link on such a way throws the code ENARROW.
   */
  readonly only: readonly (readonly string[])[] | undefined;
  /**
   * One number, shared by all who read this tree: the next chunk that nobody has taken. Each reader
   * walks the whole tree, and hashes the chunks that it takes.
   */
  readonly claims: Int32Array;
  /** `performance.now()` from which no chunk is begun any more. */
  readonly until: number | undefined;
  /** Milliseconds since 1970; what changed since is read with more care. */
  readonly since: number;
}

/** A piece of the tree's items, in the order of the walk, and its digest. */
export interface Chunk {
  readonly index: number;
  /** The entry of the root that it belongs to; "" for files at the top that share a chunk. */
  readonly part: string;
  readonly digest: string;
  readonly files: number;
  readonly bytes: number;
}

/** A file with more than one name; those with the same inode in one tree are hard links. */
export interface LinkedFile {
  readonly index: number;
  readonly inode: string;
  readonly path: string;
}

export interface TreeReading {
  /** Whether it came to the end; false when the time was over before. */
  readonly isWhole: boolean;
  /** Digest of the names and kinds of all items; all readers of an unchanged tree find the same. */
  readonly names: string;
  /** The names and kinds of each part, with the digest of them. */
  readonly parts: readonly (readonly [part: string, isFolder: boolean, names: string])[];
  readonly chunks: readonly Chunk[];
  readonly linked: readonly LinkedFile[];
}

/** The functions of Node that a reader needs. */
interface Tools {
  readonly fs: Pick<
    typeof import("node:fs"),
    | "closeSync"
    | "constants"
    | "fstatSync"
    | "lstatSync"
    | "openSync"
    | "readdirSync"
    | "readlinkSync"
    | "readSync"
  >;
  readonly createHash: typeof import("node:crypto").createHash;
  readonly now: () => number;
}

export interface TreeReader {
  readTree(request: TreeRequest): TreeReading;
  /** The index of the rule that leaves a path of the tree out; -1 when none does. */
  ruleAgainst(rules: readonly IgnoreRule[], path: string): number;
}

/**
 * Makes functions that read a tree as BuildKit's client sends it, and hashes it: kinds, names,
 * permissions, link targets and contents; no times and no owners, which a build does not see.
 *
 * A worker gets this whole function as text (see tree-worker.ts). So it may use nothing but its parameter
 * and what is global everywhere; types do not count.
 *
 * Source: github.com/tonistiigi/fsutil, filter.go and stat.go. Throws what the file system throws,
 * with `path` set, and an Error with the code ECHANGED for what changed meanwhile.
 */
export function makeTreeReader({ fs, createHash, now }: Tools): TreeReader {
  type Path = string | Buffer;
  interface Folder {
    /** Relative to the root, and ending in a slash; empty for the root. */
    readonly text: string;
    readonly raw: Path;
    readonly matched: readonly boolean[];
    /** False for one that is left out itself, until something in it turns out to be kept. */
    isKept: boolean;
    readonly parent: Folder | undefined;
    /** What is seen of it; undefined when everything is. */
    readonly only: readonly Way[] | undefined;
    readonly depth: number;
  }
  type Way = readonly RegExp[];
  interface Entry {
    readonly name: string;
    /** The name's bytes where they are not UTF-8. */
    readonly raw: Path;
    readonly kind: Kind;
  }
  type Kind = "file" | "folder" | "link" | "socket" | "other";

  const CHUNK_ITEMS = 64;
  /** Files at the top that have chunks, and so digests, of their own. */
  const OWN_CHUNKS = 64;
  const HEAD = 16;
  const ROOM = 256 * 1024;
  const ATTEMPTS = 3;

  const TIME_IS_OVER = new Error("time is over");

  function changed(path: Path): Error {
    return Object.assign(new Error("changed while it was read"), { code: "ECHANGED", path });
  }

  function joined(folder: Path, name: Path): Path {
    if (typeof folder === "string" && typeof name === "string") return folder + name;
    return Buffer.concat([Buffer.from(folder), Buffer.from(name)]);
  }

  /** As Go reads bytes that are not UTF-8: one replacement character for each. */
  function goText(bytes: Buffer): string {
    let text = "";
    for (let at = 0; at < bytes.length; ) {
      let length = 1;
      let character = "\uFFFD";
      for (let size = 1; size <= 4 && at + size <= bytes.length; size += 1) {
        const candidate = bytes.subarray(at, at + size).toString("utf8");
        if ([...candidate].length === 1 && candidate !== "\uFFFD") {
          character = candidate;
          length = size;
          break;
        }
      }
      text += character;
      at += length;
    }
    return text;
  }

  function kindOf(
    entry: Pick<Dirent, "isFile" | "isDirectory" | "isSymbolicLink" | "isSocket">,
  ): Kind {
    if (entry.isFile()) return "file";
    if (entry.isDirectory()) return "folder";
    if (entry.isSymbolicLink()) return "link";
    return entry.isSocket() ? "socket" : "other";
  }

  /** In the order of their names' bytes. */
  function list(path: Path): Entry[] {
    const found = fs.readdirSync(path, { withFileTypes: true });
    let isPlain = true;
    let isUtf8 = true;
    const entries = found.map((entry) => {
      const { name } = entry;
      for (let at = 0; at < name.length; at += 1) {
        const code = name.charCodeAt(at);
        if (code >= 0xd800) isPlain = false;
        if (code === 0xfffd) isUtf8 = false;
      }
      return { name, raw: name, kind: kindOf(entry) };
    });
    if (!isUtf8) return listBytes(path);
    // UTF-16 sorts differently from UTF-8 only from the surrogates on.
    if (isPlain) return entries.sort((a, b) => (a.name < b.name ? -1 : 1));
    return entries.sort((a, b) => Buffer.compare(Buffer.from(a.name), Buffer.from(b.name)));
  }

  function listBytes(path: Path): Entry[] {
    const found = fs.readdirSync(path, { withFileTypes: true, encoding: "buffer" });
    return found
      .sort((a, b) => Buffer.compare(a.name, b.name))
      .map((entry) => {
        const name = entry.name.toString("utf8");
        const isUtf8 = Buffer.from(name).equals(entry.name);
        const kind = kindOf(entry);
        return isUtf8
          ? { name, raw: name, kind }
          : { name: goText(entry.name), raw: entry.name, kind };
      });
  }

  /** Whether rules leave a path out, and which of them matched it. Source: patternmatcher.go. */
  function makeFilter(rules: readonly IgnoreRule[]) {
    const tests = rules.map(({ kind, text }): ((path: string) => boolean) => {
      if (kind === "exact") return (path) => path === text;
      if (kind === "prefix") return (path) => path.startsWith(text);
      if (kind === "suffix") {
        const rest = text.startsWith("/") ? text.slice(1) : undefined;
        return (path) => path.endsWith(text) || path === rest;
      }
      const expression = new RegExp(text, "u");
      return (path) => expression.test(path);
    });
    const negations = rules.filter(({ negated }) => negated);
    const stems = negations.map(({ pattern }) =>
      pattern.replace(/\/\*\*$/, "").replace(/\/\*$/, ""),
    );
    const arePlain = !stems.some((stem) => /[*[\]?^\\]/.test(stem));
    return {
      /** The rule that leaves a path out; -1 when none does. */
      ruleAgainst(path: string, above: readonly boolean[], matches: boolean[] | undefined): number {
        let by = -1;
        for (let at = 0; at < tests.length; at += 1) {
          const negated = rules[at]?.negated === true;
          let doesMatch = above[at] === true;
          if (!doesMatch) {
            if (negated !== by >= 0) continue;
            doesMatch = tests[at]?.(path) === true;
          }
          if (!doesMatch) continue;
          if (matches !== undefined) matches[at] = true;
          by = negated ? -1 : at;
        }
        return by;
      },
      /** Whether something in a folder that is left out itself might be kept. */
      mayHoldKept(path: string): boolean {
        if (negations.length === 0) return false;
        return !arePlain || stems.some((stem) => `${stem}/`.startsWith(`${path}/`));
      },
    };
  }

  /** @throws an Error with the code ENARROW where a link on the way leads elsewhere. */
  function waysInto({ only, depth }: Folder, { name, kind }: Entry): readonly Way[] | undefined {
    if (only === undefined) return undefined;
    const ways = only.filter((way) => way[depth]?.test(name) === true);
    if (ways.length === 0) return ways;
    if (kind === "link") throw Object.assign(new Error("a link is followed"), { code: "ENARROW" });
    return ways.some((way) => way.length === depth + 1) ? undefined : ways;
  }

  function readTree({ root, rules, only, claims, until, since }: TreeRequest): TreeReading {
    const filter = makeFilter(rules);
    const room = Buffer.allocUnsafe(HEAD + ROOM);
    const chunks: Chunk[] = [];
    const linked: LinkedFile[] = [];
    const parts = new Map<string, { readonly isFolder: boolean; readonly hash: Hash }>();
    const names = createHash("sha256");
    const noFollow = fs.constants.O_RDONLY | fs.constants.O_NOFOLLOW | fs.constants.O_NONBLOCK;

    let mine = -1;
    let index = 0;
    let loose = 0;
    let chunk = {
      index: -1,
      part: "",
      top: "",
      items: 0,
      files: 0,
      bytes: 0,
      hash: undefined as Hash | undefined,
    };
    let part: Hash | undefined;

    /** Takes the next chunk, unless the time is over. */
    function claim(): void {
      mine = Atomics.add(claims, 0, 1);
    }

    function finishChunk(): void {
      const { hash } = chunk;
      if (hash === undefined) return;
      const { index: at, part: name, files, bytes } = chunk;
      chunks.push({ index: at, part: name, digest: hash.digest("hex"), files, bytes });
      chunk.hash = undefined;
      mine = -1;
    }

    function beginChunk(top: string, isLoose: boolean): void {
      finishChunk();
      const at = chunk.index + 1;
      const name = isLoose && loose > OWN_CHUNKS ? "" : top;
      chunk = { index: at, part: name, top, items: 0, files: 0, bytes: 0, hash: undefined };
      if (until !== undefined && now() > until) throw TIME_IS_OVER;
      if (mine < 0) claim();
      if (mine === at) chunk.hash = createHash("sha256");
      const known = parts.get(name) ?? { isFolder: !isLoose, hash: createHash("sha256") };
      parts.set(name, known);
      part = known.hash;
    }

    /** Makes room for one more item of an entry of the root. */
    function place(top: string, isLoose: boolean): void {
      if (isLoose) loose += 1;
      const isOther = isLoose ? loose <= OWN_CHUNKS || chunk.part !== "" : chunk.top !== top;
      if (chunk.index < 0 || isOther || chunk.items >= CHUNK_ITEMS) beginChunk(top, isLoose);
      chunk.items += 1;
      index += 1;
    }

    function note(kind: Kind, path: Path): void {
      if (typeof path === "string") {
        const line = `${kind} ${path}\0`;
        names.update(line);
        part?.update(line);
      } else {
        const line = Buffer.concat([Buffer.from(`${kind} `), path, Buffer.from([0])]);
        names.update(line);
        part?.update(line);
      }
    }

    function head(kind: string, mode: number, size: number): void {
      room.fill(0, 0, HEAD);
      room.write(kind, 0, "latin1");
      room.writeUInt16BE(mode & 0o7777, 2);
      room.writeDoubleBE(size, 8);
    }

    function absolute(path: Path): Path {
      return joined(`${root}/`, path);
    }

    function hashItem(hash: Hash, kind: Kind, path: Path): void {
      if (kind === "file") {
        hashFile(hash, path);
        return;
      }
      const stats = fs.lstatSync(absolute(path));
      if (kindOf(stats) !== kind) throw changed(path);
      if (kind === "folder") {
        head("d", stats.mode, 0);
        hash.update(room.subarray(0, HEAD));
      } else if (kind === "link") {
        const target = fs.readlinkSync(absolute(path), { encoding: "buffer" });
        head("l", 0o777, target.length);
        hash.update(room.subarray(0, HEAD));
        hash.update(target);
      } else if (kind === "socket") {
        // What is sent, and what arrives, is an empty file.
        head("f", stats.mode, 0);
        hash.update(room.subarray(0, HEAD));
      } else {
        const letter = stats.isFIFO() ? "p" : stats.isBlockDevice() ? "b" : "c";
        head(letter, stats.mode, stats.isFIFO() ? 0 : stats.rdev);
        hash.update(room.subarray(0, HEAD));
      }
    }

    function hashFile(hash: Hash, path: Path): void {
      const file = absolute(path);
      for (let attempt = 1; ; attempt += 1) {
        const descriptor = openFile(file, path);
        try {
          if (hashOpen(hash, descriptor, path)) return;
        } finally {
          fs.closeSync(descriptor);
        }
        if (attempt === ATTEMPTS) throw changed(path);
      }
    }

    function openFile(file: Path, path: Path): number {
      try {
        return fs.openSync(file, noFollow);
      } catch (error) {
        // It was a plain file when its folder was listed.
        if ((error as NodeJS.ErrnoException).code === "ELOOP") throw changed(path);
        throw error;
      }
    }

    /** False when the file changed meanwhile and nothing of it is in the hash yet. */
    function hashOpen(hash: Hash, descriptor: number, path: Path): boolean {
      const read = fs.readSync(descriptor, room, HEAD, ROOM, null);
      const stats = fs.fstatSync(descriptor);
      if (!stats.isFile()) throw changed(path);
      if (read === ROOM) {
        hashLong(hash, descriptor, path, stats);
      } else {
        if (stats.size !== read) return false;
        if (stats.ctimeMs >= since && !isStill(descriptor, stats, read)) return false;
        head("f", stats.mode, read);
        hash.update(room.subarray(0, HEAD + read));
      }
      chunk.files += 1;
      chunk.bytes += stats.size;
      if (stats.nlink > 1) noteLink(stats, descriptor, path);
      return true;
    }

    /** Reads a file that changed lately once more, from its start, and compares. */
    function isStill(descriptor: number, before: Stats, size: number): boolean {
      const again = Buffer.allocUnsafe(size + 1);
      let read = 0;
      for (let got = -1; got !== 0 && read <= size; read += got) {
        got = fs.readSync(descriptor, again, read, size + 1 - read, read);
      }
      const after = fs.fstatSync(descriptor);
      return (
        read === size &&
        after.ctimeMs === before.ctimeMs &&
        again.subarray(0, size).equals(room.subarray(HEAD, HEAD + size))
      );
    }

    /** The rest of a file of which the first piece is in the room. */
    function hashLong(hash: Hash, descriptor: number, path: Path, before: Stats): void {
      head("f", before.mode, before.size);
      let total = ROOM;
      hash.update(room);
      for (let read = ROOM; read > 0; total += read) {
        read = fs.readSync(descriptor, room, HEAD, ROOM, null);
        if (read > 0) hash.update(room.subarray(HEAD, HEAD + read));
      }
      const after = fs.fstatSync(descriptor);
      const isSame = after.ctimeMs === before.ctimeMs && after.mtimeMs === before.mtimeMs;
      if (total !== before.size || after.size !== before.size || !isSame) throw changed(path);
    }

    function noteLink(stats: Stats, descriptor: number, path: Path): void {
      const isExact = Number.isSafeInteger(stats.ino);
      const { dev, ino } = isExact ? stats : fs.fstatSync(descriptor, { bigint: true });
      const text = typeof path === "string" ? path : `\0${path.toString("hex")}`;
      linked.push({ index, inode: `${dev}:${ino}`, path: text });
    }

    function emit(kind: Kind, path: Path, top: string, isLoose: boolean): void {
      place(top, isLoose);
      note(kind === "socket" ? "file" : kind, path);
      if (chunk.hash !== undefined) hashItem(chunk.hash, kind, path);
    }

    /** A folder is there when it is kept, or something in it. */
    function keep(folder: Folder, top: string): void {
      if (folder.isKept || folder.parent === undefined) return;
      keep(folder.parent, top);
      folder.isKept = true;
      emit("folder", folder.raw.slice(0, -1) as Path, top, false);
    }

    function walk(folder: Folder): void {
      let entries: Entry[];
      try {
        entries = list(folder.raw.length === 0 ? root : absolute(folder.raw));
      } catch (error) {
        const { code } = error as NodeJS.ErrnoException;
        if (code === "EACCES" && !folder.isKept && folder.parent !== undefined) return;
        throw code === "ENOTDIR" ? changed(folder.raw) : error;
      }
      for (const entry of entries) visit(folder, entry);
    }

    function visit(folder: Folder, entry: Entry): void {
      const { name, raw, kind } = entry;
      const ways = waysInto(folder, entry);
      if (ways !== undefined && (kind !== "folder" || ways.length === 0)) return;
      const text = folder.text + name;
      const path = joined(folder.raw, raw);
      const isRoot = folder.parent === undefined;
      const top = isRoot ? name : text.slice(0, text.indexOf("/"));
      const matched: boolean[] | undefined = kind === "folder" ? [] : undefined;
      const isOut = filter.ruleAgainst(text, folder.matched, matched) >= 0;
      if (kind !== "folder") {
        if (isOut) return;
        keep(folder, top);
        emit(kind, path, top, isRoot);
        return;
      }
      if (isOut && !filter.mayHoldKept(text)) return;
      const inner: Folder = {
        text: `${text}/`,
        raw: joined(path, "/"),
        matched: matched ?? [],
        isKept: false,
        parent: folder,
        only: ways,
        depth: folder.depth + 1,
      };
      if (!isOut && ways === undefined) keep(inner, top);
      walk(inner);
    }

    let isWhole = true;
    try {
      const ways = only?.map((way) => way.map((source) => new RegExp(source, "su")));
      const top = { text: "", raw: "", matched: [], isKept: true, parent: undefined };
      walk({ ...top, only: ways, depth: 0 });
      finishChunk();
    } catch (error) {
      if (error !== TIME_IS_OVER) throw error;
      isWhole = false;
    }
    if (!isWhole) return { isWhole, names: "", parts: [], chunks, linked };
    const digests = [...parts].map(
      ([name, { isFolder, hash }]) => [name, isFolder, hash.digest("hex")] as const,
    );
    return { isWhole, names: names.digest("hex"), parts: digests, chunks, linked };
  }

  function ruleAgainst(rules: readonly IgnoreRule[], path: string): number {
    const filter = makeFilter(rules);
    const names = path.split("/");
    let above: readonly boolean[] = [];
    let by = -1;
    for (let depth = 1; depth <= names.length; depth += 1) {
      const matches: boolean[] = [];
      const folder = names.slice(0, depth).join("/");
      by = filter.ruleAgainst(folder, above, matches);
      if (by >= 0 && !filter.mayHoldKept(folder)) return by;
      above = matches;
    }
    return by;
  }

  return { readTree, ruleAgainst };
}
