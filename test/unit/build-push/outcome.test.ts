import { describe, expect, it } from "@jest/globals";
import { failureOf } from "../../../actions/build-push/failures.ts";
import type { ServiceResult } from "../../../actions/build-push/result.ts";
import { summary } from "../../../actions/build-push/summary.ts";
import { UserError } from "../../../shared/failure/index.ts";

const digest = `sha256:${"a".repeat(64)}`;
const image = (name: string) => ({
  repository: `r.io/${name}`,
  tag: "1",
  tags: ["1"],
  digest,
  reference: `r.io/${name}@${digest}`,
  platforms: ["linux/amd64"],
  size: 12_345_678,
});

function result(name: string, change: Partial<ServiceResult> = {}): ServiceResult {
  const steps = { done: 3, cached: 2, total: 3 };
  const times = { began: 1_000, built: 3_000, ended: 3_500 };
  const rest = { uncompared: false, pushed: [], failure: undefined };
  return { name, ...times, steps, image: image(name), ...rest, ...change };
}

function failed(name: string, cause = `${name} is broken.`): ServiceResult {
  const failure = new UserError({
    title: `${name} failed`,
    cause,
    remedy: "Mend it.",
    evidence: `proof of ${name}`,
    at: { file: `${name}/Dockerfile`, line: 2 },
  });
  return result(name, { image: undefined, built: undefined, steps: undefined, failure });
}

const calm = new AbortController().signal;
const aborted = AbortSignal.abort();

describe("the failure of a step", () => {
  it("is none when every service is proven", () => {
    expect(failureOf([result("a"), result("b")], calm)).toBeUndefined();
  });

  it("is that of the one service, with its place, and tells what is pushed", () => {
    const failure = failureOf([result("a"), failed("b")], calm);
    expect(failure).toMatchObject({ title: "b failed", at: { file: "b/Dockerfile", line: 2 } });
    expect(failure?.cause).toBe(`b is broken.\nr.io/a@${digest} is pushed and proven.`);
  });

  it("names every service that failed", () => {
    const failure = failureOf([failed("a"), result("c"), failed("b")], calm);
    expect(failure?.title).toBe("2 of 3 services failed");
    expect(failure?.cause).toMatch(/^a: a is broken\.\nb: b is broken\.\n/);
    expect(failure?.remedy).toBe("Mend it.");
    expect(failure?.evidence).toContain("proof of b");
  });

  it("says after a cancellation what was pushed, what is doubtful, what not", () => {
    const half = result("b", { image: undefined, pushed: [`r.io/b:1@${digest}`] });
    const none = result("c", { image: undefined });
    const failure = failureOf([result("a"), half, none], aborted);
    expect(failure?.cause).toBe(
      `The job was cancelled. Pushed and proven before that: r.io/a@${digest}. ` +
        `Pushed and not proven: r.io/b:1@${digest}. Not pushed: c.`,
    );
  });
});

describe("the summary", () => {
  it("opens with the verdict, then the picture, then the table", () => {
    const text = summary([result("a")], { pushed: true, failure: undefined, elapsed: 2_500 });
    expect(text).toMatch(/^## ✅ 1 service built, pushed and proven at the registry in 2\.5 s\n/);
    expect(text.indexOf("```mermaid")).toBeLessThan(text.indexOf("| Service"));
    expect(text).toContain("  build and push :done, 1000, 3000\n  ask registry :done, 3000, 3500");
    expect(text).toContain(
      `| \`a\` | \`r.io/a@${digest}\` | \`linux/amd64\` | 12.3 MB | 2.5 s | 2 of 3 |`,
    );
  });

  it("of a failure shows cause and remedy, its text made harmless", () => {
    const results = [result("a"), failed("b", "<img src=x> | `x`")];
    const failure = failureOf(results, calm);
    const text = summary(results, { pushed: true, failure, elapsed: 2_500 });
    expect(text).toMatch(/^## ❌ build-push: b failed\n/);
    expect(text).not.toContain("<img");
    expect(text).toContain("build and push :crit, 1000, 3500");
    expect(text).toContain("**What to do:** Mend it.");
    expect(text).toContain("❌ not proven");
  });

  it("does not claim what was not done or not checked", () => {
    const built = summary([result("a", { image: undefined, built: 3_500 })], {
      pushed: false,
      failure: undefined,
      elapsed: 1,
    });
    expect(built).toMatch(/nothing was pushed/);
    expect(built).toContain("built, not pushed");
    const unnamed = summary([result("a", { uncompared: true })], {
      pushed: true,
      failure: undefined,
      elapsed: 1,
    });
    expect(unnamed).toContain("Not checked: the builder named no digest");
  });
});
