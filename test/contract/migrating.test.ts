import { describe, expect, it } from "@jest/globals";
import { dockerInputs } from "../../actions/build-push/docker-inputs.ts";
import { servicesSchema } from "../../actions/build-push/service-schema.ts";
import { actionManifest } from "../../scripts/action-manifest.ts";
import { textOf } from "./action-folder.ts";

/** The inputs of the actions that the page leads over from, as their own documentation lists them. */
const THEIRS: Readonly<Record<string, readonly string[]>> = {
  "docker/build-push-action": [
    ...["add-hosts", "allow", "annotations", "attests", "build-args", "build-contexts", "builder"],
    ...["cache-from", "cache-to", "call", "cgroup-parent", "context", "file", "labels", "load"],
    ...["network", "no-cache", "no-cache-filters", "outputs", "platforms", "provenance", "pull"],
    ...["push", "sbom", "secrets", "secret-envs", "secret-files", "shm-size", "ssh", "tags"],
    ...["target", "ulimit", "github-token"],
  ],
  "docker/metadata-action": [
    ...["context", "images", "tags", "flavor", "labels", "annotations", "sep-tags", "sep-labels"],
    ...["sep-annotations", "bake-target", "github-token"],
  ],
  "docker/bake-action": [
    ...["builder", "source", "files", "workdir", "targets", "allow", "call", "no-cache", "pull"],
    ...["load", "provenance", "push", "sbom", "set", "github-token"],
  ],
  "docker/login-action": [
    ...["registry", "username", "password", "scope", "ecr", "logout", "registry-auth"],
  ],
  "docker/setup-buildx-action": [
    ...["version", "name", "driver", "driver-opts", "buildkitd-flags", "buildkitd-config"],
    ...["buildkitd-config-inline", "install", "use", "endpoint", "platforms", "append"],
    ...["keep-state", "cache-binary", "cleanup"],
  ],
};

const page = textOf("docs", "migrating-from-docker-actions.md");

/** The table of an action: its inputs, and what stands for each here. */
function tableOf(action: string): readonly (readonly [string, string])[] {
  const [, table = ""] = new RegExp(`<!-- theirs: ${action} -->\n((?:\\|.*\n)+)`).exec(page) ?? [];
  const rows = table.trim().split("\n").slice(2);
  return rows.map((row) => {
    const [, there = "", here = ""] = row.split("|").map((cell) => cell.trim());
    return [there.replaceAll("`", ""), here];
  });
}

/** The names in a cell: inputs of the step, and what comes after "key" or "keys": those of a service. */
function namesIn(here: string) {
  const quoted = (text: string) => [...text.matchAll(/`([^`]+)`/g)].map(([, name = ""]) => name);
  const [inputs = "", ...keys] = here.split(/\bkeys? (?=`)/);
  return { inputs: quoted(inputs), keys: keys.flatMap(quoted) };
}

function isServiceKey(key: string): boolean {
  const result = servicesSchema.safeParse([{ name: "api", [key]: null }]);
  const issues = result.success ? [] : result.error.issues;
  return !issues.some(({ message }) => message.includes("there is no key"));
}

describe.each(Object.entries(THEIRS))("the way over from %s", (action, inputs) => {
  it("names every input of theirs, once and in their order", () => {
    expect(tableOf(action).map(([there]) => there)).toEqual(inputs);
  });

  it("names what exists here, or says that there is none", () => {
    const ours = Object.keys(actionManifest("build-push").inputs);
    for (const [there, here] of tableOf(action)) {
      const names = namesIn(here);
      const none = here === "none";
      expect({ there, names, named: none || names.inputs.length + names.keys.length > 0 }).toEqual({
        there,
        names: {
          inputs: names.inputs.filter((name) => ours.includes(name)),
          keys: names.keys.filter(isServiceKey),
        },
        named: true,
      });
    }
  });
});

it("what is there and not here is refused by the step, with what to do instead", () => {
  const ours = Object.keys(actionManifest("build-push").inputs);
  // A token and an input of a setup step ask for nothing that could be missed in the image.
  const builders = ["docker/build-push-action", "docker/bake-action"];
  const theirs = builders.flatMap((action) => THEIRS[action] ?? []).concat("images");
  const missing = theirs.filter((name) => !ours.includes(name) && name !== "github-token");
  const environment = Object.fromEntries(
    missing.map((name) => [`INPUT_${name.toUpperCase()}`, "x"]),
  );
  const refused = dockerInputs(environment).map(({ where }) => where);
  expect(refused.sort()).toEqual([...new Set(missing)].sort());
  expect(dockerInputs({ INPUT_LOAD: "false", INPUT_FILE: " " })).toEqual([]);
});

it("knows a key of a service from a word that is none", () => {
  expect([isServiceKey("network"), isServiceKey("netwerk")]).toEqual([true, false]);
});
