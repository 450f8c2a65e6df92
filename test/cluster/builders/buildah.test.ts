import { afterAll, beforeAll, describe, expect, it, jest } from "@jest/globals";
import { Runner } from "../../runner/index.ts";
import { type Endpoints, up } from "../../testbed/index.ts";
import { run } from "../../testbed/run.ts";
import { buildPush, cachedSteps, manifestAt, ownPrefix, passed } from "./harness.ts";

jest.setTimeout(120_000);

let bed: Endpoints;
let base: string;
let environment: Record<string, string>;
const prefix = ownPrefix("buildah");

beforeAll(async () => {
  bed = await up(["registry", "buildkit", "buildah", "busybox-image"]);
  environment = { TOKEN: "a-token-for-the-build" };
  // buildah wants to know how its base came about, which the bed's own images do not tell.
  base = `${bed.registry}/${prefix}/base:1`;
  await using runner = await Runner.create({ Dockerfile: `FROM ${bed.busyboxImage}\nRUN true\n` });
  const inputs = { registry: `${bed.registry}/${prefix}`, name: "base", tags: "1" };
  passed(await buildPush(bed, runner, { ...inputs, buildkit: bed.buildkit, provenance: "off" }));
}, 30 * 60_000);

afterAll(async () => {
  const images = await run(`${bed.bin}/buildah`, ["images", "--format={{.ID}} {{.Name}}"]);
  const ours = images.split("\n").filter((line) => line.includes(prefix));
  for (const line of ours)
    await run(`${bed.bin}/buildah`, ["rmi", "--force", line.split(" ")[0] ?? ""]);
});

const dockerfile = () =>
  [
    `FROM ${base} AS made`,
    "ARG WHAT",
    'RUN --mount=type=secret,id=token test -s /run/secrets/token && echo "$WHAT" > /made',
    `FROM ${base}`,
    "COPY --from=made /made /made",
    "COPY last /last",
    "",
  ].join("\n");
const inputs = (name: string) => ({
  registry: `${bed.registry}/${prefix}`,
  name,
  driver: "buildah",
  "build-args": "WHAT=this",
  secrets: "token: TOKEN",
});

describe("buildah, where there is no BuildKit", () => {
  it("builds, pushes by digest, is proven, and is reused when nothing changed", async () => {
    await using runner = await Runner.create({ Dockerfile: dockerfile(), last: "one" });
    const one = passed(await buildPush(bed, runner, inputs("web"), environment));
    const { web } = JSON.parse(one.outputs.images ?? "") as Record<string, { reference: string }>;
    expect(one.stdout).toContain(`web: pushed ${web?.reference}`);
    expect(await manifestAt(web?.reference ?? "")).toMatchObject({ schemaVersion: 2 });
    expect(one.stdout).toContain("buildah does not do it: a provenance attestation");
    const again = passed(await buildPush(bed, runner, inputs("web"), environment));
    expect(again.stdout).toContain("0 built, 1 reused");
    // Its layers are its cache, and the same content gives the same digest.
    const forced = { ...inputs("web"), rebuild: "always" };
    const three = passed(await buildPush(bed, runner, forced, environment));
    expect(cachedSteps(three)).toEqual([4, 4]);
    expect(three.outputs.digests).toBe(one.outputs.digests);
  });

  it("is taken by itself where neither docker nor buildx is", async () => {
    await using runner = await Runner.create({ Dockerfile: dockerfile(), last: "one" });
    const path = await runner.write(
      "bin/buildah",
      `#!/bin/sh\nexec ${bed.bin}/buildah "$@"\n`,
      0o755,
    );
    const PATH = [path.replace(/\/buildah$/, ""), "/usr/sbin:/usr/bin:/sbin:/bin"].join(":");
    const { driver: _, ...others } = inputs("alone");
    const run = passed(await buildPush(bed, runner, others, { ...environment, PATH }));
    expect(run.stdout).toContain("buildah does not do it");
  });

  it("tells the line that broke, and builds the others", async () => {
    await using runner = await Runner.create({
      "bad/Dockerfile": `FROM ${base}\nRUN echo oh dear >&2 && \\\n    exit 7\n`,
      "good/Dockerfile": `FROM ${base}\nRUN echo fine\n`,
    });
    const services = "[{name: bad, context: bad}, {name: good, context: good}]";
    const registry = `${bed.registry}/${prefix}`;
    const step = await buildPush(bed, runner, { registry, services, driver: "buildah" });
    expect(step.exitCode).toBe(1);
    expect(step.outputs.cause).toContain(
      "bad/Dockerfile:2: RUN echo oh dear >&2 && exit 7 failed: exit status 7. Its last words: oh dear",
    );
    const error = step.commands.find(({ name }) => name === "error");
    expect(error?.properties).toMatchObject({ file: "bad/Dockerfile", line: "2" });
    expect(step.outputs.images).toContain("good");
  });

  it("warns of a base image for another platform, as BuildKit does", async () => {
    await using runner = await Runner.create({
      Dockerfile: `FROM ${base}\nCOPY last /last\n`,
      last: "",
    });
    const given = { registry: `${bed.registry}/${prefix}`, name: "arm", driver: "buildah" };
    const step = await buildPush(bed, runner, { ...given, platforms: "linux/arm64" });
    expect(step.stdout).toContain(
      "InvalidBaseImagePlatform: image platform linux/amd64 does not match the expected platform linux/arm64",
    );
  });

  it.each([
    ["an sbom", { sbom: "true" }, "With buildah there is no a bill of materials (sbom)"],
    ["an option that it has not", { "driver-opts": "image=x" }, "has no option image"],
  ])("refuses %s, and pushes no tag", async (name, given, cause) => {
    await using runner = await Runner.create({ Dockerfile: dockerfile(), last: "one" });
    const own = name.replaceAll(" ", "-");
    const step = await buildPush(bed, runner, { ...inputs(own), ...given }, environment);
    expect(step.exitCode).toBe(1);
    expect(step.outputs.cause).toContain(cause);
    const tags = await fetch(`http://${bed.registry}/v2/${prefix}/${own}/tags/list`);
    expect(tags.ok ? ((await tags.json()) as { tags: unknown }).tags : null).toBeNull();
  });
});
