import { describe, expect, it } from "@jest/globals";
import { failureOf } from "../../../actions/build-push/failures.ts";
import { imagesOf, matrixOf } from "../../../actions/build-push/images.ts";
import type { Passage } from "../../../actions/build-push/result.ts";
import { summary } from "../../../actions/build-push/summary.ts";
import { UserError } from "../../../shared/failure/index.ts";
import { built, digest, passage, storedImage } from "./passage.ts";

function failed(name: string, cause = `${name} is broken.`): Passage {
  const failure = new UserError({
    title: `${name} failed`,
    cause,
    remedy: "Mend it.",
    evidence: `proof of ${name}`,
    at: { file: `${name}/Dockerfile`, line: 2 },
  });
  return passage(name, {
    images: [],
    released: false,
    built: built(name, { digest: undefined, failure }),
    failure,
  });
}

const unreleased = (name: string) => passage(name, { released: false });
const calm = new AbortController().signal;
const cancelled = AbortSignal.abort();

describe("the failure of a step", () => {
  it("is none when every service is released", () => {
    expect(failureOf([passage("a"), passage("b")], undefined, calm)).toBeUndefined();
  });

  it("is that of the one service, with its place, and says that no tag moved", () => {
    const failure = failureOf([unreleased("a"), failed("b")], undefined, calm);
    expect(failure).toMatchObject({ title: "b failed", at: { file: "b/Dockerfile", line: 2 } });
    expect(failure?.cause).toBe(
      "b is broken.\nNo tag was moved: it is all services or none. " +
        `At the registry by digest: r.io/a@${digest}.`,
    );
  });

  it("names every service that failed, each with its place", () => {
    const failure = failureOf([failed("a"), unreleased("c"), failed("b")], undefined, calm);
    expect(failure?.title).toBe("2 of 3 services failed");
    expect(failure?.cause).toMatch(/^a: a is broken\.\nb: b is broken\.\nNo tag was moved/);
    expect(failure?.remedy).toBe("Mend it.");
    expect(failure?.evidence).toContain("proof of b");
    expect(failure?.each.map(({ at }) => at?.file)).toEqual(["a/Dockerfile", "b/Dockerfile"]);
  });

  it("says after a cancellation what is released, what only proven, what not pushed", () => {
    const nothing = built("c", { digest: undefined });
    const none = passage("c", { images: [], released: false, built: nothing });
    const cut = passage("d", { images: [], released: false });
    const failure = failureOf([unreleased("b"), none, cut], undefined, cancelled);
    expect(failure?.cause).toBe(
      "The job was cancelled. At the registry by digest, with no tag moved: " +
        `r.io/b@${digest}. Pushed by digest, under no tag, and not proven: r.io/d@${digest}. ` +
        "Not pushed: c.",
    );
    expect(failureOf([passage("a")], undefined, cancelled)?.cause).toBe(
      `The job was cancelled. Released before that: r.io/a@${digest}.`,
    );
  });

  it("is that of the tags where those could not be moved, also after a cancellation", () => {
    const tags = new UserError({
      title: "Cancelled while the tags were moved",
      cause: "r.io/a:1 could not be put back.",
      remedy: "Run it again.",
    });
    expect(failureOf([unreleased("a")], tags, calm)).toBe(tags);
    const told = failureOf([unreleased("a")], tags, cancelled);
    expect(told?.cause).toMatch(/^r\.io\/a:1 could not be put back\. At the registry by digest/);
    expect(told?.remedy).toBe("Run it again.");
  });
});

describe("the outputs", () => {
  it("tell what the registry attests, with the tags that lead there", () => {
    expect(imagesOf([passage("a")])).toEqual({
      a: {
        repository: "r.io/a",
        tag: "1",
        tags: ["1", "latest"],
        digest,
        reference: `r.io/a@${digest}`,
        ref: `r.io/a:1@${digest}`,
        platforms: ["linux/amd64"],
        size: 12_345_678,
        status: "built",
        key: "",
        mirrors: [],
      },
    });
  });

  it("name no tag that was not moved, and nothing that was not proven", () => {
    const { a, b } = imagesOf([unreleased("a"), failed("b")]);
    expect(a).toMatchObject({ tag: "", tags: [], ref: `r.io/a@${digest}` });
    expect(b).toBeUndefined();
  });

  it("give a matrix of what changed alone", () => {
    const decision = { kind: "reuse", why: ["same"], images: [storedImage("b")] } as const;
    const reused = passage("b", { built: undefined, decision });
    expect(imagesOf([reused]).b?.status).toBe("reused");
    expect(matrixOf([passage("a"), reused])).toEqual({
      include: [{ service: "a", image: `r.io/a:1@${digest}` }],
    });
  });
});

describe("the summary", () => {
  const account = { pushed: true, failure: undefined, elapsed: 2_500, began: 500, notes: [] };
  const phases = [
    { name: "compare", from: 0, to: 100, failed: false },
    { name: "build", from: 100, to: 2_400, failed: false },
    { name: "tags", from: 2_400, to: 2_500, failed: false },
  ];
  const journal = { phases };

  it("opens with the verdict, then the picture, then the table", () => {
    const text = summary([passage("a")], { ...account, journal });
    expect(text).toMatch(/^## ✅ 1 service built; all proven at the registry in 2\.5 s\n/);
    expect(text.indexOf("```mermaid")).toBeLessThan(text.indexOf("| Service"));
    expect(text).toMatch(/build 2\.3 s :done.*\n {2}- a 2\.0 s :done, 500, 2500\n {2}tags/);
    expect(text).toContain(
      `| \`a\` | ✅ built | \`r.io/a@${digest}\` | \`linux/amd64\` | 12.3 MB | 2.0 s | 2 of 3 | the Dockerfile changed |`,
    );
  });

  it("shows the size before beside the size now", () => {
    const before = storedImage("a", { size: 20_000_000 });
    const text = summary([passage("a", { before })], { ...account, journal });
    expect(text).toContain("| 20 MB → 12.3 MB |");
  });

  it("of a failure shows cause and remedy, its text made harmless", () => {
    const passages = [unreleased("a"), failed("b", "<img src=x> | `x`")];
    const failure = failureOf(passages, undefined, calm);
    const text = summary(passages, { ...account, journal, failure });
    expect(text).toMatch(/^## ❌ build-push: b failed\n/);
    expect(text).not.toContain("<img");
    expect(text).toContain("- b 2.0 s :crit");
    expect(text).toContain("**What to do:** Mend it.");
    expect(text).toContain("❌ failed");
    expect(text).toContain("⏸️ proven, no tag moved");
  });

  it("does not claim what was not done", () => {
    const unpushed = passage("a", { images: [], released: false });
    const text = summary([unpushed], { ...account, journal, pushed: false });
    expect(text).toMatch(/nothing was pushed, as asked/);
    expect(text).toContain("✅ built, not pushed");
  });
});
