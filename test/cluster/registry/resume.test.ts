import { randomBytes } from "node:crypto";
import { describe, expect, it, jest } from "@jest/globals";
import { client } from "./clients.ts";
import { digestOf } from "./made-image.ts";
import { ResumingRegistry } from "./resuming-registry.ts";

jest.setTimeout(30_000);

const { signal } = new AbortController();
const content = randomBytes(2_500_000);
const digest = digestOf(content);

describe("an upload that breaks off", () => {
  it.each<[string, readonly number[]]>([
    ["once", [1_000_000]],
    ["before the first byte", [0]],
    ["after the first byte", [1]],
    ["again and again, more often than a registry is asked in vain", Array(12).fill(150_000)],
  ])("%s goes on where it was", async (_, breaks) => {
    await using registry = await ResumingRegistry.start(breaks);
    using ours = client(registry.host);
    expect(await ours.upload({ path: "x", digest, content }, signal)).toBe("sent");
    expect(registry.blobs.get(digest)?.equals(content)).toBe(true);
    // Nothing was sent twice, but for the one byte that a registry cannot tell from none.
    expect(registry.received).toBeLessThanOrEqual(content.length + 1);
    expect(registry.ranges[0]).toBe("all");
  });

  it("is read from its source where it goes on, not from the beginning", async () => {
    await using registry = await ResumingRegistry.start([1_000_000]);
    using ours = client(registry.host);
    const opened: number[] = [];
    const open = async function* (from: number) {
      opened.push(from);
      for (let at = from; at < content.length; at += 65_536)
        yield content.subarray(at, at + 65_536);
    };
    await ours.upload({ path: "x", digest, content: { size: content.length, open } }, signal);
    expect(registry.blobs.get(digest)?.equals(content)).toBe(true);
    expect(opened).toEqual([0, 1_000_000]);
  });

  it("or is too much for a proxy goes in smaller chunks", async () => {
    const large = randomBytes(9_000_000);
    await using registry = await ResumingRegistry.start([], 5_000_000);
    using ours = client(registry.host);
    const given = { path: "x", digest: digestOf(large), content: large };
    expect(await ours.upload(given, signal)).toBe("sent");
    expect(registry.ranges).toEqual(["all", "0-4194303", "4194304-8388607", "8388608-8999999"]);
  });

  it("and is garbled on its way is not called done", async () => {
    await using registry = await ResumingRegistry.start([]);
    using ours = client(registry.host);
    const other = digestOf("something else");
    const sent = ours.upload({ path: "x", digest: other, content }, signal);
    await expect(sent).rejects.toThrow(/has the digest sha256:/);
  });
});
