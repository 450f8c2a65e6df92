import { createHash } from "node:crypto";
import { constants, type Stats } from "node:fs";
import { lstat, open, readlink } from "node:fs/promises";
import { join } from "node:path";
import type { Finding } from "../proof/index.ts";
import type { Choice } from "./choice.ts";
import type { Member } from "./member.ts";

/** So many members that differ are named; the others are counted. */
const MOST_FINDINGS = 50;

/** What holding restored members to their listing has found. */
export class Held {
  readonly #findings: Finding[] = [];
  #differing = 0;
  /** Members that are as they were. */
  sound = 0;
  /** Files among them. */
  files = 0;
  /** Members that belong to somebody else than they did. */
  othersOwn = 0;

  differs(path: string, what: string): void {
    this.#differing += 1;
    if (this.#differing > MOST_FINDINGS) return;
    this.#findings.push(finding("restored-file", "damage", path, what));
  }

  get isSound(): boolean {
    return this.#differing === 0;
  }

  get findings(): readonly Finding[] {
    const more = this.#differing - MOST_FINDINGS;
    const rest =
      more > 0 ? [finding("restored-file", "damage", "members", `${more} more differ.`)] : [];
    const owners =
      this.othersOwn === 0
        ? []
        : [
            finding(
              "owner",
              "note",
              "owners",
              `${this.othersOwn} members belong to others than they did: this account may not give them away.`,
            ),
          ];
    return [...this.#findings, ...rest, ...owners];
  }
}

function finding(
  detector: string,
  weight: Finding["weight"],
  subject: string,
  what: string,
): Finding {
  return { detector, tier: "full", weight, subject, what };
}

/** What is found at the place of a member. */
export interface FoundMember {
  readonly type: Member["type"];
  readonly size: number;
  readonly mode: number;
  readonly mtime: number;
  readonly uid: number;
  readonly gid: number;
  readonly target?: string | undefined;
  readonly sha256?: string | undefined;
}

/**
 * What differs between a member and its listing, as a sentence; undefined where nothing does. Whose
 * it is stands apart, for not every account may give a file away.
 */
export function differenceOf(expected: Member, found: FoundMember): string | undefined {
  const traits = ["type", "size", "mode", "mtime", "target"] as const;
  const different = traits.find((trait) => {
    // A link has the mode that its system gives to all links.
    if (trait === "mode" && expected.type === "symlink") return false;
    return expected[trait] !== found[trait];
  });
  if (different !== undefined) {
    const [is, was] = [found[different] ?? "none", expected[different] ?? "none"];
    const words =
      different === "mode" ? [Number(is).toString(8), Number(was).toString(8)] : [is, was];
    return `Its ${different} is ${words[0]} and was ${words[1]}.`;
  }
  if (expected.sha256 === found.sha256) return undefined;
  return "It holds other bytes than it held.";
}

/** Reads a member where it was restored, and holds it against its listing. */
export async function holdMember(
  folder: string,
  expected: Member,
  choice: Choice,
  held: Held,
): Promise<void> {
  const full = join(folder, expected.path);
  const facts = await lstat(full).catch(() => undefined);
  if (facts === undefined) {
    held.differs(expected.path, "It is not there.");
    return;
  }
  const wrong =
    expected.type === "hardlink"
      ? await linkTrouble(folder, facts, expected, choice)
      : differenceOf(expected, await foundAt(full, facts));
  if (wrong !== undefined) {
    held.differs(expected.path, wrong);
    return;
  }
  held.sound += 1;
  if (expected.type === "file") held.files += 1;
  const isOwn =
    expected.uid === undefined || (expected.uid === facts.uid && expected.gid === facts.gid);
  if (!isOwn) held.othersOwn += 1;
}

async function linkTrouble(
  folder: string,
  facts: Stats,
  { target = "" }: Member,
  choice: Choice,
): Promise<string | undefined> {
  const first = choice.placeOf(target) ?? target;
  const other = await lstat(join(folder, first)).catch(() => undefined);
  const isSame = other?.isFile() === true && other.ino === facts.ino && other.dev === facts.dev;
  return isSame ? undefined : `It is not one file with ${target} any more.`;
}

async function foundAt(full: string, facts: Stats): Promise<FoundMember> {
  const { mode, uid, gid, mtimeMs } = facts;
  const common = { mode: mode & 0o7777, mtime: Math.floor(mtimeMs / 1_000), uid, gid };
  if (facts.isDirectory()) return { ...common, type: "folder", size: 0 };
  if (facts.isSymbolicLink()) {
    return { ...common, type: "symlink", size: 0, target: await readlink(full) };
  }
  if (!facts.isFile()) return { ...common, type: "device", size: 0 };
  return { ...common, type: "file", size: facts.size, sha256: await sumOf(full) };
}

const PIECE = 256 * 1024;

/** Reads into the same memory again and again: what is thrown away would lie about for long. */
async function sumOf(path: string): Promise<string> {
  const sum = createHash("sha256");
  const piece = Buffer.allocUnsafeSlow(PIECE);
  await using file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW);
  for (;;) {
    const { bytesRead } = await file.read(piece, 0, PIECE);
    if (bytesRead === 0) return sum.digest("hex");
    sum.update(piece.subarray(0, bytesRead));
  }
}
