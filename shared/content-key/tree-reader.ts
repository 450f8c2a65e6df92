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
  /** The first chunk that is to be hashed; those before it have been. */
  readonly from: number;
  /** The reading of the reader's clock, in milliseconds, from which nothing is begun any more. */
  readonly until: number | undefined;
  /** Milliseconds since 1970; what changed since is read with more care. */
  readonly since: number;
}

/** An item of a tree: its kind, and its path as text, or as bytes where these are not UTF-8. */
export type Item = readonly [kind: Kind, path: string | Buffer];

export type Kind = "file" | "folder" | "link" | "socket" | "other";

/** A piece of the tree's items, in the order of the walk. */
export interface Piece {
  readonly index: number;
  readonly part: string;
  /** How many items are before it. */
  readonly before: number;
  readonly items: readonly Item[];
}

/** Takes pieces off the hands of the one who walks. */
export interface Helper {
  /** Whether it has enough to do for now. */
  isBusy(): boolean;
  take(piece: Piece): void;
}

/** A piece that has been hashed. */
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

/** What hashing gave. */
export interface Hashed {
  readonly chunks: Chunk[];
  readonly linked: LinkedFile[];
}

export interface TreeReading extends Hashed {
  /** Whether it came to the end; false when the time was over before. */
  readonly isWhole: boolean;
  /** Digest of the names and kinds of all items. */
  readonly names: string;
  /** The names and kinds of each part, with the digest of them. */
  readonly parts: readonly (readonly [part: string, isFolder: boolean, names: string])[];
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
  /** Walks a tree, and hashes what no helper takes. */
  readTree(request: TreeRequest, helpers?: readonly Helper[]): TreeReading;
  /** Hashes pieces of a tree that somebody else walks. */
  makeHasher(request: Pick<TreeRequest, "root" | "since">): Hashed & { hash(piece: Piece): void };
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
  const CHUNK_ITEMS = 64;
  /** Files at the top that have chunks, and so digests, of their own. */
  const OWN_CHUNKS = 64;
  const HEAD = 16;
  /** The most that is read of a file at once; files that are shorter are hashed several at once. */
  const ROOM = 128 * 1024;
  const ROOMS = 4;
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

  function makeHasher({
    root,
    since,
    until,
  }: Pick<TreeRequest, "root" | "since"> & { until?: number | undefined }) {
    const room = Buffer.allocUnsafe(ROOMS * (HEAD + ROOM));
    /** Up to where the room holds what is not hashed yet. */
    let filled = 0;
    let current: Hash | undefined;
    const chunks: Chunk[] = [];
    const linked: LinkedFile[] = [];
    const noFollow = fs.constants.O_RDONLY | fs.constants.O_NOFOLLOW | fs.constants.O_NONBLOCK;
    let index = 0;
    let files = 0;
    let bytes = 0;

    function isLate(): boolean {
      return until !== undefined && now() > until;
    }

    function hash({ index: at, part, before, items }: Piece): void {
      current = createHash("sha256");
      files = 0;
      bytes = 0;
      index = before;
      for (const [kind, path] of items) {
        index += 1;
        if (filled > room.length - HEAD - ROOM) flush();
        if (kind === "file") addFile(path);
        else addOther(kind, path);
      }
      flush();
      chunks.push({ index: at, part, digest: current.digest("hex"), files, bytes });
    }

    function flush(): void {
      if (filled > 0) current?.update(room.subarray(0, filled));
      filled = 0;
    }

    /** Sixteen bytes before each content; each kind begins with another letter. */
    function head(kind: string, mode: number, size: number): void {
      room[filled] = kind.charCodeAt(0);
      room[filled + 1] = 0;
      room.writeUInt16BE(mode & 0o7777, filled + 2);
      room.writeUInt32BE(0, filled + 4);
      room.writeDoubleBE(size, filled + 8);
      filled += HEAD;
    }

    function absolute(path: Path): Path {
      return joined(`${root}/`, path);
    }

    function addOther(kind: Kind, path: Path): void {
      const stats = fs.lstatSync(absolute(path));
      if (kindOf(stats) !== kind) throw changed(path);
      if (kind === "folder") head("d", stats.mode, 0);
      else if (kind === "link") {
        const target = fs.readlinkSync(absolute(path), { encoding: "buffer" });
        head("l", 0o777, target.length);
        filled += target.copy(room, filled);
      } else if (kind === "socket") {
        // What is sent, and what arrives, is an empty file.
        head("f", stats.mode, 0);
      } else {
        const letter = stats.isFIFO() ? "p" : stats.isBlockDevice() ? "b" : "c";
        head(letter, stats.mode, stats.isFIFO() ? 0 : stats.rdev);
      }
    }

    function addFile(path: Path): void {
      const file = absolute(path);
      for (let attempt = 1; ; attempt += 1) {
        const descriptor = openFile(file, path);
        try {
          if (addOpen(descriptor, path)) return;
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

    /** False when the file changed meanwhile; nothing of it is kept then. */
    function addOpen(descriptor: number, path: Path): boolean {
      const start = filled + HEAD;
      const read = fs.readSync(descriptor, room, start, ROOM, null);
      const stats = fs.fstatSync(descriptor);
      if (!stats.isFile()) throw changed(path);
      if (read < ROOM) {
        if (stats.size !== read) return false;
        const content = () => room.subarray(start, start + read);
        if (stats.ctimeMs >= since && !isStill(descriptor, stats, content())) return false;
      }
      head("f", stats.mode, stats.size);
      filled += read;
      if (read === ROOM) hashLong(descriptor, path, stats);
      files += 1;
      bytes += stats.size;
      if (stats.nlink > 1) noteLink(stats, descriptor, path);
      return true;
    }

    /** Reads a file that changed lately once more, from its start, and compares. */
    function isStill(descriptor: number, before: Stats, content: Buffer): boolean {
      const size = content.length;
      const again = Buffer.allocUnsafe(size + 1);
      let read = 0;
      for (let got = -1; got !== 0 && read <= size; read += got) {
        got = fs.readSync(descriptor, again, read, size + 1 - read, read);
      }
      const after = fs.fstatSync(descriptor);
      const isSame = read === size && again.subarray(0, size).equals(content);
      return isSame && after.ctimeMs === before.ctimeMs;
    }

    /** The rest of a file of which the first bytes are in the room. */
    function hashLong(descriptor: number, path: Path, before: Stats): void {
      flush();
      let total = ROOM;
      for (let read = ROOM; read > 0; total += read) {
        read = fs.readSync(descriptor, room, 0, room.length, null);
        filled = read;
        flush();
        if (isLate()) throw TIME_IS_OVER;
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

    return { chunks, linked, hash, isLate };
  }

  function readTree(request: TreeRequest, helpers: readonly Helper[] = []): TreeReading {
    const { root, rules, only, from } = request;
    const filter = makeFilter(rules);
    const hasher = makeHasher(request);
    const parts = new Map<string, { readonly isFolder: boolean; readonly hash: Hash }>();
    let notes = "";
    let before = 0;
    let loose = 0;
    let piece = { index: -1, part: "", top: "", before: 0, items: [] as Item[] };
    let part: Hash | undefined;

    /** Gives a piece to whoever has nothing to do, or sees to it. */
    function finishPiece(): void {
      const { index, items } = piece;
      if (items.length === 0 || index < from) return;
      if (hasher.isLate()) throw TIME_IS_OVER;
      const helper = helpers.find((each) => !each.isBusy());
      if (helper === undefined) hasher.hash(piece);
      else helper.take(piece);
    }

    function beginPiece(top: string, isLoose: boolean): void {
      finishPiece();
      flushNotes();
      const name = isLoose && loose > OWN_CHUNKS ? "" : top;
      piece = { index: piece.index + 1, part: name, top, before, items: [] };
      const known = parts.get(name) ?? { isFolder: !isLoose, hash: createHash("sha256") };
      parts.set(name, known);
      part = known.hash;
    }

    function emit(kind: Kind, path: Path, top: string, isLoose: boolean): void {
      if (isLoose) loose += 1;
      const isOther = isLoose ? loose <= OWN_CHUNKS || piece.part !== "" : piece.top !== top;
      if (piece.index < 0 || isOther || piece.items.length >= CHUNK_ITEMS) beginPiece(top, isLoose);
      piece.items.push([kind, path]);
      before += 1;
      note(kind === "socket" ? "file" : kind, path);
    }

    function note(kind: Kind, path: Path): void {
      if (typeof path === "string") {
        notes += `${kind} ${path}\0`;
        if (notes.length > 4_096) flushNotes();
        return;
      }
      flushNotes();
      part?.update(`${kind} `).update(path).update("\0");
    }

    function flushNotes(): void {
      if (notes !== "") part?.update(notes);
      notes = "";
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
        entries = list(folder.raw.length === 0 ? root : joined(`${root}/`, folder.raw));
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
      finishPiece();
      flushNotes();
    } catch (error) {
      if (error !== TIME_IS_OVER) throw error;
      isWhole = false;
    }
    const { chunks, linked } = hasher;
    if (!isWhole) return { isWhole, names: "", parts: [], chunks, linked };
    const digests = [...parts].map(
      ([name, { isFolder, hash }]) => [name, isFolder, hash.digest("hex")] as const,
    );
    const names = createHash("sha256").update(JSON.stringify(digests)).digest("hex");
    return { isWhole, names, parts: digests, chunks, linked };
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

  return { readTree, makeHasher, ruleAgainst };
}
