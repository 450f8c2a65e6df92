import { globSync } from "node:fs";
import { describe, expect, it } from "@jest/globals";
import { actionManifest, actionNames, root } from "../../scripts/action-manifest.ts";
import { generatedDocs } from "../../scripts/docs.ts";
import { snapshotOf } from "../runner/index.ts";
import { textOf } from "./action-folder.ts";
import { acceptedBy, allUses, documents, isOurs, type Use } from "./uses.ts";

describe("generated documentation", () => {
  it("is fresh (else run `npm run docs`)", () => {
    const stale = [...generatedDocs()].filter(([path, text]) => textOf(path) !== text);
    expect(stale.map(([path]) => path)).toEqual([]);
  });

  it("lists every action in the main README", () => {
    const readme = textOf("README.md");
    for (const action of actionNames()) expect(readme).toContain(`(actions/${action})`);
  });
});

describe.each(actionNames())("the README of %s", (action) => {
  const readme = () => textOf("actions", action, "README.md");

  it("opens with its name and what it is for", () => {
    expect(readme()).toMatch(/^# .*\n\n[A-Z`][^\n]{20,}/);
  });

  it("has an example to copy that uses it", () => {
    const [, example = ""] = /<!-- example -->([\s\S]*?)<!-- \/?example -->/.exec(readme()) ?? [];
    expect(example).toMatch(new RegExp(`uses: \\S*actions/${action}\\b`));
  });

  it("shows every input and output", () => {
    const { inputs, outputs } = actionManifest(action);
    const names = [...Object.keys(inputs ?? {}), ...Object.keys(outputs)];
    expect(names.filter((name) => !readme().includes(`| \`${name}\` |`))).toEqual([]);
  });

  it("shows what failure looks like, as a test saw it", () => {
    const [, section = ""] =
      /^## What failure looks like\n([\s\S]*?)(?=^## |$(?![\s\S]))/m.exec(readme()) ?? [];
    const seen = snapshotOf(action).trim();
    expect(seen).not.toBe("");
    expect(section).toContain(`\`\`\`text\n${seen}\n\`\`\``);
  });

  it("tells which permissions it needs", () => {
    expect(readme()).toMatch(/permission|RBAC/i);
  });
});

describe("examples of use", () => {
  const uses = allUses();
  const ours = uses.filter(({ uses: name }) => isOurs(name));

  it("are found", () => {
    expect(documents().length).toBeGreaterThan(2);
    expect(ours.length).toBeGreaterThan(2);
  });

  it.each(ours.map((use): [string, Use] => [`${use.file}: ${use.uses}`, use]))(
    "%s gives what exists, and all that is required",
    (_, use) => {
      const accepted = acceptedBy(use);
      expect(accepted).toBeDefined();
      for (const kind of ["inputs", "secrets"] as const) {
        const given = kind === "inputs" ? use.given : use.secrets;
        if (typeof given === "string") continue;
        const known = accepted?.[kind] ?? new Map<string, boolean>();
        expect(Object.keys(given).filter((name) => !known.has(name))).toEqual([]);
        const required = [...known].filter(([, needed]) => needed).map(([name]) => name);
        expect(required.filter((name) => !(name in given))).toEqual([]);
      }
    },
  );

  it("read only outputs that exist", () => {
    const unknown = documents().flatMap(({ file, yaml }) => {
      const steps = new Map(
        ours.filter((use) => use.file === file).map((use) => [use.id, use.uses]),
      );
      return [...yaml.matchAll(/\bsteps\.([\w-]+)\.outputs\.([\w-]+)/g)].flatMap(
        ([found, id, output]) => {
          const action = /actions\/([a-z-]+)/.exec(steps.get(id) ?? "")?.[1];
          if (action === undefined || output === undefined) return [];
          return output in actionManifest(action).outputs ? [] : [`${file}: ${found}`];
        },
      );
    });
    expect(unknown).toEqual([]);
  });

  it("pin what others made by its commit", () => {
    const others = uses.filter(({ uses: name }) => !isOurs(name) && !name.startsWith("docker://"));
    const loose = others.filter(({ uses: name }) => !/@[0-9a-f]{40}$/.test(name));
    expect(loose.map(({ file, uses: name }) => `${file}: ${name}`)).toEqual([]);
  });
});

describe("links within the documentation", () => {
  const files = globSync(["*.md", "docs/**/*.md", "actions/*/*.md", "examples/*/*.md"], {
    cwd: root,
  });
  it.each(files)("%s leads only to what exists", (file) => {
    const folder = file.split("/").slice(0, -1);
    const links = [...textOf(file).matchAll(/\]\((?!https?:|#|mailto:)([^)#\s]+)[^)]*\)/g)];
    const targets = links.map(([, target = ""]) => [...folder, ...target.split("/")].join("/"));
    expect(
      targets.filter((target) => globSync(target.replace(/\/$/, ""), { cwd: root }).length === 0),
    ).toEqual([]);
  });
});
