import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "@jest/globals";
import { root } from "../../scripts/action-manifest.ts";
import { REASONS } from "../../shared/kubernetes/verdict/reason.ts";
import { textOf } from "./action-folder.ts";

/** The words in the first column of the table of causes. */
function documented(): string[] {
  const rows = textOf("docs/why-did-my-rollout-fail.md").matchAll(/^\| (`\w+`(?:, `\w+`)*) \|/gm);
  const words = [...rows].flatMap(([, cell = ""]) => cell.replaceAll("`", "").split(", "));
  return [...new Set(words)];
}

describe("the causes of a failed rollout", () => {
  it("are those that the documentation explains", () => {
    expect(documented().sort()).toEqual([...REASONS].sort());
  });

  it("are all given by the code", () => {
    const files = globSync("shared/kubernetes/{verdict,rollout}/*.ts", { cwd: root });
    const code = files
      .filter((file) => !file.endsWith("reason.ts"))
      .map((file) => readFileSync(join(root, file), "utf8"))
      .join("\n");
    expect(REASONS.filter((reason) => !code.includes(`"${reason}"`))).toEqual([]);
  });
});
