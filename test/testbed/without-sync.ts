/**
 * Servers of a test bed need not outlive a power cut, and some wait for little but the disk: BuildKit
 * and containerd sync their stores at every step. So they, and all that they start, are run behind
 * a filter of the kernel's that answers calls to sync as done.
 */

/** Numbers of the calls to sync: fsync, fdatasync, sync, sync_file_range, syncfs. Source: the kernel's tables. */
const MACHINES: Readonly<Record<string, Machine>> = {
  x64: { architecture: 0xc000003e, seccomp: 317, sync: [74, 75, 162, 277, 306] },
  arm64: { architecture: 0xc00000b7, seccomp: 277, sync: [82, 83, 81, 84, 267] },
};

interface Machine {
  /** Which table of numbers a call is of: AUDIT_ARCH_X86_64, AUDIT_ARCH_AARCH64. */
  readonly architecture: number;
  readonly seccomp: number;
  readonly sync: readonly number[];
}

/** Sets the filter and becomes the program; without the right to it, the program just syncs. */
const LAUNCHER = [
  "my ($call, $filter) = (shift, pack 'H*', shift);",
  // SECCOMP_SET_MODE_FILTER, and no price for it in speculation.
  "syscall $call + 0, 1, 4, pack('S x6 P', length($filter) / 8, $filter);",
  "exec { $ARGV[0] } @ARGV or die qq($ARGV[0]: $!\\n);",
].join(" ");

/** What comes before a program whose calls to sync do nothing; it keeps the process's number. */
export function withoutSync(architecture: string = process.arch): readonly string[] {
  const machine = MACHINES[architecture];
  if (machine === undefined) return [];
  return ["perl", "-e", LAUNCHER, String(machine.seccomp), filterOf(machine).toString("hex")];
}

// The machine language of filters. Source: linux/filter.h, linux/seccomp.h.
const LOAD = 0x20;
const JUMP_IF_EQUAL = 0x15;
const RETURN = 0x06;
const ALLOW = 0x7fff0000;
/** An error of number 0: the call is not made, and has succeeded. */
const DONE = 0x00050000;
const CALL_AT = 0;
const ARCHITECTURE_AT = 4;

function filterOf({ architecture, sync }: Machine): Buffer {
  const count = sync.length;
  return Buffer.concat([
    instruction(LOAD, ARCHITECTURE_AT),
    // Another machine's calls have other numbers.
    instruction(JUMP_IF_EQUAL, architecture, 0, count + 1),
    instruction(LOAD, CALL_AT),
    ...sync.map((call, at) => instruction(JUMP_IF_EQUAL, call, count - at, 0)),
    instruction(RETURN, ALLOW),
    instruction(RETURN, DONE),
  ]);
}

/** A jump passes over so many instructions, where its condition holds and where it does not. */
function instruction(code: number, value: number, ifTrue = 0, ifFalse = 0): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeUInt16LE(code, 0);
  bytes.writeUInt8(ifTrue, 2);
  bytes.writeUInt8(ifFalse, 3);
  bytes.writeUInt32LE(value, 4);
  return bytes;
}
