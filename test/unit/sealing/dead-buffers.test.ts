import { setImmediate } from "node:timers/promises";
import { expect, it } from "@jest/globals";
import { notePassing } from "../../../shared/sealing/index.ts";

const MIB = 1024 * 1024;

it("gives buffers back that have grown old before they died", async () => {
  const queue: Buffer[] = [];
  let most = 0;
  const before = process.memoryUsage().arrayBuffers;
  // Each waits in the queue while some 100 MB pass, and has been looked at several times then.
  for (let passed = 0; passed < 1_500; passed += 16) {
    queue.push(Buffer.alloc(2 * MIB, 1));
    if (queue.length > 6) queue.shift();
    notePassing(16 * MIB);
    await setImmediate();
    most = Math.max(most, process.memoryUsage().arrayBuffers - before);
  }
  expect(queue).toHaveLength(6);
  expect(most).toBeLessThan(40 * MIB);
});
