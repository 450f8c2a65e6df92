import { describe, expect, it } from "@jest/globals";
import { groupEvents, tellingLine } from "../../../shared/kubernetes/rollout/evidence.ts";
import { ago, event } from "./objects.ts";

describe("the telling line of a log", () => {
  it.each([
    [
      "Node",
      [
        "node:internal/x:1",
        "Error: listen EADDRINUSE: 8080",
        "    at Server.listen (node:net:1)",
        "  code: 'EADDRINUSE'",
        "}",
        "Node.js v24.1.0",
      ],
      "Error: listen EADDRINUSE: 8080",
    ],
    [
      "Python",
      [
        "Traceback (most recent call last):",
        '  File "app.py", line 1',
        "ValueError: no DATABASE_URL",
      ],
      "ValueError: no DATABASE_URL",
    ],
    [
      "Go",
      [
        "panic: runtime error: index out of range",
        "goroutine 1 [running]:",
        "main.main()",
        "\t/src/main.go:7",
        "exit status 2",
      ],
      "panic: runtime error: index out of range",
    ],
    ["a shell", ["starting", "done"], "done"],
    ["only frames", ["    at a", "    at b"], "at b"],
    ["nothing", [], undefined],
  ])("%s", (_, lines, expected) => {
    expect(tellingLine(lines)).toBe(expected);
  });
});

describe("events", () => {
  it("with the same words become one with their count, the newest last", () => {
    const groups = groupEvents([
      { ...event("uid-a", "BackOff", "restarting", 5), count: 3 },
      event("uid-a", "BackOff", "restarting", 1),
      event("uid-a", "Pulled", "image", 3),
    ]);
    expect(groups).toEqual([
      {
        object: "pod/a",
        type: "Warning",
        reason: "BackOff",
        message: "restarting",
        count: 4,
        lastAt: ago(1),
      },
      {
        object: "pod/a",
        type: "Warning",
        reason: "Pulled",
        message: "image",
        count: 1,
        lastAt: ago(3),
      },
    ]);
  });

  it("without a time of their own are no trouble", () => {
    const { lastTimestamp: _, ...timeless } = event("uid-a", "X", "y");
    expect(groupEvents([timeless])[0]?.lastAt).toBe("1970-01-01T00:00:00.000Z");
  });
});
