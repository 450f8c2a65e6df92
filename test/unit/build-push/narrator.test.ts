import { expect, it } from "@jest/globals";
import { Narrator } from "../../../actions/build-push/narrator.ts";
import { type Log, silentLog, systemClock } from "../../../shared/world/index.ts";

it("warns of a base image for another platform, and tells other warnings in the log", () => {
  const told: string[] = [];
  const log: Log = {
    ...silentLog,
    info: (text) => told.push(`info ${text}`),
    warning: (text, title) => told.push(`warning ${title}: ${text}`),
  };
  const narrator = new Narrator(log, systemClock);
  narrator.tell("web", { kind: "warning", text: "FromAsCasing: odd", line: 1 });
  const text = 'InvalidBaseImagePlatform: Base image x was pulled with platform "linux/amd64"';
  narrator.tell("web", { kind: "warning", text, line: 1 });
  expect(told).toEqual([
    "info web: warning (line 1): FromAsCasing: odd",
    expect.stringMatching(
      /^warning web: the base image is for another platform: Invalid.*start there\.$/,
    ),
  ]);
});
