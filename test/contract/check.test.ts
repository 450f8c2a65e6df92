import { describe, expect, it } from "@jest/globals";
import { runTool } from "./tool.ts";

describe("npm run check", () => {
  it("has nothing to say against the source", () => {
    const { status, stdout } = runTool("node", ["scripts/check.ts"]);
    expect(stdout).not.toContain("FAILED");
    expect(status).toBe(0);
    expect(stdout.match(/^ok /gm)).toHaveLength(5);
  }, 120_000);
});
