import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import {
  type Circumstances,
  readFlavor,
  readTagRules,
  tagsFor,
} from "../../../shared/image-tags/index.ts";
import { tagProblem } from "../../../shared/images/index.ts";
import { on, SHA, schedule } from "./event.ts";

/** The tags, where nothing is wrong. */
function tagsOf(rules: string, circumstances: Circumstances, flavor = ""): readonly string[] {
  const read = readTagRules(rules);
  const made = tagsFor(read.rules, readFlavor(flavor).flavor, circumstances);
  expect([...read.problems, ...made.problems]).toEqual([]);
  return made.tags;
}

/** What is wrong. */
function problemsOf(rules: string, circumstances = on("refs/heads/main")): readonly string[] {
  const read = readTagRules(rules);
  const made = tagsFor(read.rules, readFlavor("").flavor, circumstances);
  return [...read.problems, ...made.problems].map(({ where, problem }) => `${where}: ${problem}`);
}

const branch = on("refs/heads/main");
const feature = on("refs/heads/feature/new-cart");
const pullRequest = on("refs/pull/2/merge", { baseRef: "main" });
const release = on("refs/tags/v1.2.3");
const beta = on("refs/tags/v2.0.8-beta.67");

describe("plain words", () => {
  const cases: [string, string[]][] = [
    ["v1", ["v1"]],
    ["v1 v2,v3\nv4", ["v1", "v2", "v3", "v4"]],
    ["v1, v1", ["v1"]],
    ["# a comment\nv1 # and another", ["v1"]],
    ["build-{{sha}}", ["build-90dd603"]],
    ["nightly-{{date 'YYYYMMDD' tz='Asia/Tokyo'}} v2", ["nightly-20200110", "v2"]],
    ["v1\r\nv2\r\n", ["v1", "v2"]],
  ];
  test.each(cases)("%j gives %j", (rules, tags) => {
    expect(tagsOf(rules, branch)).toEqual(tags);
  });

  test("is refused when it is no tag, and not bent", () => {
    expect(problemsOf("feature/x")).toEqual([
      expect.stringContaining('"feature/x": a tag is made'),
    ]);
    expect(problemsOf("ghcr.io/octocat/hello:v1")).toEqual([
      expect.stringContaining("give the tag alone, v1"),
    ]);
  });
});

describe("rules by docker/metadata-action's documentation", () => {
  const semver = "type=semver,pattern={{version}}\ntype=semver,pattern={{major}}.{{minor}}";
  const refs = "type=schedule\ntype=ref,event=branch\ntype=ref,event=tag\ntype=ref,event=pr";
  const cases: [string, Circumstances, string[]][] = [
    [refs, pullRequest, ["pr-2"]],
    [refs, branch, ["main"]],
    [refs, feature, ["feature-new-cart"]],
    [refs, release, ["v1.2.3", "latest"]],
    [refs, beta, ["v2.0.8-beta.67", "latest"]],
    [refs, schedule, ["nightly", "main"]],
    [`type=ref,event=branch\ntype=ref,event=pr\n${semver}`, pullRequest, ["pr-2"]],
    [semver, release, ["1.2.3", "1.2", "latest"]],
    [semver, beta, ["2.0.8-beta.67"]],
    ["type=semver,pattern={{raw}}", release, ["v1.2.3", "latest"]],
    ["type=semver,pattern=v{{major}}", release, ["v1", "latest"]],
    ["type=semver,pattern={{minor}}", release, ["2", "latest"]],
    ["type=semver,pattern={{patch}}", release, ["3", "latest"]],
    ["type=semver,pattern={{raw}}", beta, ["v2.0.8-beta.67"]],
    ["type=semver,pattern=v{{version}}", beta, ["v2.0.8-beta.67"]],
    ["type=semver,pattern={{major}}", beta, ["2.0.8-beta.67"]],
    ["type=semver,pattern={{version}},value=v1.0.0", branch, ["1.0.0", "latest"]],
    ["type=semver,pattern={{version}}", on("refs/tags/v9.5.7-alpha.2+fork.3"), ["9.5.7-alpha.2"]],
    ["type=semver,pattern={{raw}}", on("refs/tags/v1.0.0+build.5"), ["v1.0.0-build.5", "latest"]],
    [
      "type=semver,pattern={{version}},match=api/v(.*)",
      on("refs/tags/api/v3.1.4"),
      ["3.1.4", "latest"],
    ],
    ["type=pep440,pattern={{raw}}", on("refs/tags/1.2.3"), ["1.2.3", "latest"]],
    ["type=pep440,pattern={{version}}", on("refs/tags/v1.2.3"), ["1.2.3", "latest"]],
    ["type=pep440,pattern={{major}}.{{minor}}", on("refs/tags/1.2.3"), ["1.2", "latest"]],
    ["type=pep440,pattern={{raw}}", on("refs/tags/v1.2.3rc2"), ["v1.2.3rc2"]],
    ["type=pep440,pattern={{version}}", on("refs/tags/1.2.3rc2"), ["1.2.3rc2"]],
    ["type=pep440,pattern={{major}}.{{minor}}", on("refs/tags/1.2.3rc2"), ["1.2.3rc2"]],
    ["type=pep440,pattern={{major}}.{{minor}}", on("refs/tags/1.2.3post1"), ["1.2.3.post1"]],
    ["type=pep440,pattern={{major}}.{{minor}}", on("refs/tags/1.2.3beta2"), ["1.2.3b2"]],
    ["type=pep440,pattern={{major}}.{{minor}}", on("refs/tags/1.0dev4"), ["1.0.dev4"]],
    [String.raw`type=match,pattern=\d.\d.\d`, release, ["1.2.3", "latest"]],
    ["type=match,pattern=v(.*),group=1", beta, ["2.0.8-beta.67", "latest"]],
    [String.raw`type=match,pattern=v(\d.\d),group=1`, beta, ["2.0", "latest"]],
    [String.raw`type=match,pattern=\d+`, on("refs/tags/20200110-RC2"), ["20200110", "latest"]],
    [String.raw`type=match,pattern=\d{4,8}`, on("refs/tags/20200110-RC2"), ["20200110", "latest"]],
    [
      String.raw`type=match,"pattern=\d{4,8}"`,
      on("refs/tags/20200110-RC2"),
      ["20200110", "latest"],
    ],
    [String.raw`type=match,pattern=/RC\d/i`, on("refs/tags/1-rc2"), ["rc2", "latest"]],
    [
      String.raw`type=match,pattern=p1/v(\d.\d.\d),group=1`,
      on("refs/tags/p1/v1.2.3"),
      ["1.2.3", "latest"],
    ],
    ["type=edge", branch, ["edge"]],
    ["type=edge\nx", feature, ["x"]],
    ["type=edge,branch=feature/new-cart", feature, ["edge"]],
    ["type=raw,value=foo\ntype=raw,bar\nbaz", branch, ["foo", "bar", "baz"]],
    ["type=raw,value=a b/c", branch, ["a-b-c"]],
    ["type=sha", branch, ["sha-90dd603"]],
    ["type=sha,format=long,prefix=", branch, [SHA]],
    ["type=sha,prefix={{branch}}-", feature, ["feature-new-cart-90dd603"]],
    [
      "type=schedule,pattern={{date 'YYYYMMDD-HHmmss' tz='Asia/Tokyo'}}",
      schedule,
      ["20200110-093000"],
    ],
    [
      "type=raw,value=latest,enable={{is_default_branch}}\ntype=sha",
      branch,
      ["latest", "sha-90dd603"],
    ],
    ["type=raw,value=latest,enable={{is_default_branch}}\ntype=sha", feature, ["sha-90dd603"]],
    ["type=raw,value=x,enable={{is_default_branch}}\nv", schedule, ["x", "v"]],
    ["type=raw,value={{base_ref}}-{{sha}}", pullRequest, ["main-90dd603"]],
    ["type=raw,value={{commit_date 'YYYY-MM-DD'}}", branch, ["2019-12-31"]],
    [
      "type=raw,value=low,priority=1\ntype=raw,value=high,priority=2000\ntype=sha",
      branch,
      ["high", "sha-90dd603", "low"],
    ],
    ["type=raw,value=x,suffix=-alpine,prefix=v", branch, ["vx-alpine"]],
    ["TYPE=sha,ENABLE=True", branch, ["sha-90dd603"]],
  ];
  test.each(cases)("%s", (rules, circumstances, tags) => {
    expect(tagsOf(rules, circumstances)).toEqual(tags);
  });

  test("below 1.0.0 there is no major version alone, unless it is asked for", () => {
    const early = on("refs/tags/v0.3.1");
    const both = "type=semver,pattern={{version}}\ntype=semver,pattern={{major}}";
    expect(tagsOf(both, early)).toEqual(["0.3.1", "latest"]);
    expect(tagsOf(`${both},enable=true`, early)).toEqual(["0.3.1", "0", "latest"]);
  });
});

describe("flavor", () => {
  const cases: [string, string, string[]][] = [
    ["latest=true", "main", ["main", "latest"]],
    ["latest=false", "type=semver,pattern={{version}}", ["1.2.3"]],
    ["suffix=-alpine", "type=semver,pattern={{version}}", ["1.2.3-alpine", "latest"]],
    [
      "suffix=-alpine,onlatest=true",
      "type=semver,pattern={{version}}",
      ["1.2.3-alpine", "latest-alpine"],
    ],
    ["prefix={{sha}}-", "x", ["90dd603-x"]],
    ["prefix=a-", "type=raw,value=x,prefix=b-\ntype=sha", ["b-x", "sha-90dd603"]],
    ["latest=auto\n# comment\nprefix=", "x", ["x"]],
  ];
  test.each(cases)("%j with %j", (flavor, rules, tags) => {
    expect(tagsOf(rules, release, flavor)).toEqual(tags);
  });

  test("what is wrong is told by its line", () => {
    const { problems } = readFlavor("latest=yes\nsufix=-x\nlatest=auto\nprefix=x,onlatest=on");
    expect(problems.map(({ where }) => where)).toEqual([
      "line 1 (latest=yes)",
      "line 2 (sufix=-x)",
      "line 4 (prefix=x,onlatest=on)",
    ]);
    expect(problems[1]?.problem).toContain("did you mean suffix?");
  });
});

describe("what is wrong with rules", () => {
  const cases: [string, string][] = [
    ["type=shaa", "did you mean sha?"],
    ["type=semver", "needs pattern="],
    ["type=semver,pattern={{verison}}", "did you mean {{version}}?"],
    ["type=semver,pattern={{version", "not closed"],
    ["type=ref,event=pull", "event is one of branch, tag, pr"],
    ["type=ref", "needs event="],
    ["type=sha,format=medium", "format is one of short, long"],
    ["type=sha,patern=x", "takes no"],
    ["type=sha,type=sha", "given twice"],
    ["type=raw,value=x,enable=yes", "enable is true or false"],
    ["type=raw,value=x,enable=", "enable is true or false"],
    ["type=raw,value=x,priority=high", "priority is a whole number"],
    ["type=match,pattern=(", "no regular expression"],
    ["type=match,pattern=v(.*),group=2", "group=2 does not exist"],
    ["type=raw,value={{date}}", "with its format"],
    ["type=raw,value={{date 'YYYY' tz='Mars/Base'}}", "no time zone"],
    ["type=raw,value={{date 'LLLL'}}", "not known here"],
    ["type=raw,value={{sha 'x'}}", "takes nothing"],
    ["type=raw,value={{#if x}}", "cannot be read"],
    ['type=raw,"value=x', "not closed"],
    ["foo=bar", "takes no"],
  ];
  test.each(cases)("%s", (rule, problem) => {
    expect(problemsOf(rule, release)).toEqual([expect.stringContaining(problem)]);
    expect(problemsOf(rule)).toEqual([expect.stringContaining(problem)]);
  });

  test("all of it is told at once, each with its line", () => {
    expect(problemsOf("v1\ntype=shaa\n\n-x\ntype=ref")).toEqual([
      expect.stringMatching(/^line 2 \(type=shaa\): /),
      expect.stringMatching(/^line 5 \(type=ref\): /),
      expect.stringMatching(/^line 4 \(-x\): "-x": a tag/),
    ]);
  });

  test("a default branch that nobody tells is no guess", () => {
    const unknown = on("refs/heads/main", { defaultBranch: undefined });
    expect(problemsOf("type=edge", unknown)).toEqual([expect.stringContaining("does not say")]);
    expect(tagsOf("type=edge,branch=main", unknown)).toEqual(["edge"]);
  });
});

test("a run without a tag says why each rule gave none", () => {
  const { rules } = readTagRules("type=semver,pattern={{version}}\ntype=sha,enable=false");
  const { none, tags } = tagsFor(rules, readFlavor("").flavor, pullRequest);
  expect(tags).toEqual([]);
  expect(none).toBe(
    "no tag comes of it for a run for the event pull_request on the pull request 2: line 1 (type=semver,pattern={{version}}): the run is not for a git tag; line 2 (type=sha,enable=false): it is not enabled",
  );
});

test("of a long name the end is told from others by a digest", () => {
  const long = (end: string) => on(`refs/heads/${"x".repeat(150)}${end}`);
  const [one = "", other = ""] = [long("a"), long("b")].map(
    (each) => tagsOf("type=ref,event=branch", each)[0],
  );
  expect(one).toHaveLength(128);
  expect(one).not.toBe(other);
});

test("whatever a branch is called, its tag is legal or refused", () => {
  fc.assert(
    fc.property(fc.string({ unit: "grapheme", minLength: 1 }), (name) => {
      const { rules } = readTagRules("type=ref,event=branch");
      const { tags, problems } = tagsFor(rules, readFlavor("").flavor, on(`refs/heads/${name}`));
      expect(tags.length + problems.length).toBe(1);
      expect(tags.every((tag) => tagProblem(tag) === undefined)).toBe(true);
    }),
  );
});

test("no text makes the reader throw or hang", () => {
  const piece = fc.constantFrom(
    "type=",
    "sha",
    ",",
    '"',
    "{{",
    "}}",
    "#",
    " ",
    "\n",
    "pattern=",
    "date 'Y'",
    "\\d{1,3}",
  );
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        fc.array(piece).map((all) => all.join("")),
      ),
      (text) => {
        const { rules } = readTagRules(text);
        const { tags } = tagsFor(rules, readFlavor(text).flavor, release);
        expect(tags.every((tag) => tagProblem(tag) === undefined)).toBe(true);
      },
    ),
  );
});
