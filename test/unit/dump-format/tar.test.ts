import { describe, expect, test } from "@jest/globals";
import { readTar, type TarMember } from "../../../shared/dump-format/index.ts";
import { pieces } from "./fixture.ts";

interface Part {
  readonly name: string;
  readonly type?: string;
  readonly content?: string;
  readonly target?: string;
}

function header({ name, type = "0", content = "", target = "" }: Part): Buffer {
  const block = Buffer.alloc(512);
  block.write(name, 0, 100);
  block.write("0000644\0", 100);
  block.write(`${content.length.toString(8).padStart(11, "0")}\0`, 124);
  block.write("00000000000\0", 136);
  block.write("        ", 148);
  block.write(type, 156);
  block.write(target, 157, 100);
  block.write("ustar\x0000", 257);
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148);
  return block;
}

function tar(...parts: Part[]): Buffer {
  const blocks = parts.flatMap((part) => {
    const content = Buffer.from(part.content ?? "");
    return [header(part), content, Buffer.alloc((512 - (content.length % 512)) % 512)];
  });
  return Buffer.concat([...blocks, Buffer.alloc(1024)]);
}

async function read(
  bytes: Buffer,
): Promise<{ members: (Pick<TarMember, "name" | "kind"> & { text: string })[]; faults: string[] }> {
  const faults: string[] = [];
  const members = [];
  const options = {
    subject: "t.tar",
    members: 100,
    onFault: (fault: { detector: string }) => faults.push(fault.detector),
  };
  for await (const member of readTar(pieces(bytes, 100), options)) {
    const parts: Buffer[] = [];
    for await (const part of member.content()) parts.push(part);
    members.push({ name: member.name, kind: member.kind, text: Buffer.concat(parts).toString() });
  }
  return { members, faults };
}

test("members, long names of both kinds, folders", async () => {
  const long = `${"d/".repeat(80)}f`;
  const record = `path=${long}\n`;
  const pax = `${record.length + 4} ${record}`;
  const { members, faults } = await read(
    tar(
      { name: "a", content: "hello" },
      { name: "x", type: "x", content: pax },
      { name: "short", content: "pax" },
      { name: "././@LongLink", type: "L", content: `${long}g\0` },
      { name: "short", content: "gnu" },
      { name: "dir/", type: "5" },
    ),
  );
  expect(faults).toEqual([]);
  expect(members).toEqual([
    { name: "a", kind: "file", text: "hello" },
    { name: long, kind: "file", text: "pax" },
    { name: `${long}g`, kind: "file", text: "gnu" },
    { name: "dir/", kind: "folder", text: "" },
  ]);
});

describe("what is wrong with an archive is told", () => {
  const good = tar({ name: "a", content: "hello" });
  const broken = Buffer.from(good);
  broken[10] = 1;
  test.each<[string, Buffer, string[]]>([
    ["a name that leads out", tar({ name: "../../etc/x" }), ["hostile"]],
    ["an absolute name", tar({ name: "/etc/x" }), ["hostile"]],
    ["a link out", tar({ name: "d/l", type: "2", target: "../../x" }), ["hostile"]],
    ["an absolute link", tar({ name: "l", type: "2", target: "/etc" }), ["hostile"]],
    ["a hard link out", tar({ name: "d/l", type: "1", target: "../x" }), ["hostile"]],
    ["a link inside", tar({ name: "d/l", type: "2", target: "../x" }), []],
    ["a device", tar({ name: "null", type: "3" }), ["hostile"]],
    ["a sparse file", tar({ name: "s", type: "S" }), ["format"]],
    ["a name twice", tar({ name: "a" }, { name: "./a" }), ["members"]],
    ["a broken header", broken, ["checksum"]],
    ["no end", good.subarray(0, 1024), ["end-marker"]],
    ["half an end", good.subarray(0, 1536), ["end-marker"]],
    ["a cut member", good.subarray(0, 514), ["end-marker"]],
    ["more behind its end", Buffer.concat([good, good]), ["end-marker"]],
    ["a name of a gigabyte", header({ name: "x", type: "L" }).fill(0), ["end-marker"]],
  ])("%s", async (_name, bytes, expected) => {
    expect((await read(bytes)).faults).toEqual(expected);
  });
});
