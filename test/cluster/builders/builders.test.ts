import { afterAll, beforeAll, describe, expect, it, jest } from "@jest/globals";
import { Runner } from "../../runner/index.ts";
import { openBed } from "../../testbed/bed.ts";
import { readConfiguration } from "../../testbed/configuration.ts";
import { type Endpoints, up } from "../../testbed/index.ts";
import { run } from "../../testbed/run.ts";
import { OwnBuildKit } from "../buildkit/own-buildkit.ts";
import { buildPush, cachedSteps, ownPrefix, passed } from "./harness.ts";
import { openTlsGate } from "./tls-gate.ts";

jest.setTimeout(180_000);

let bed: Endpoints;
let controlGroup: string;
const prefix = ownPrefix("builders");

beforeAll(async () => {
  bed = await up(["registry", "buildkit", "docker", "buildkit-image", "busybox-image"]);
  ({ controlGroup } = await openBed(readConfiguration(process.env)));
}, 30 * 60_000);

const dockerfile = () => `FROM ${bed.busyboxImage}\nRUN echo ${prefix} > /made\nCOPY last /last\n`;
const files = () => ({ Dockerfile: dockerfile(), last: "one" });
const docker = (args: readonly string[]) =>
  run("docker", ["--host", bed.dockerHost, ...args], { env: process.env });

describe("a builder in a container of docker", () => {
  // A name of our own, so that nobody else's container is met.
  const inputs = () => ({
    registry: `${bed.registry}/${prefix}`,
    driver: "docker-container",
    builder: prefix,
    "driver-opts": [
      `image=${bed.buildkitImage}`,
      "network=host",
      `cgroup-parent=/${controlGroup}/docker`,
    ].join("\n"),
  });
  const containers = async () =>
    (await docker(["ps", "--all", "--format={{.Names}}"]))
      .split("\n")
      .filter((name) => name.includes(prefix));

  afterAll(async () => {
    for (const name of await containers()) {
      await docker(["rm", "--force", "--volumes", name]);
      await docker(["volume", "rm", "--force", `${name}_state`]);
    }
  });

  it("is started for the first build, stays with its cache, and is not asked when nothing changed", async () => {
    await using runner = await Runner.create(files());
    const environment = { DOCKER_HOST: bed.dockerHost };
    const one = passed(await buildPush(bed, runner, { ...inputs(), name: "web" }, environment));
    expect(one.stdout).toMatch(/^Starting the docker-container builder/m);
    expect(await containers()).toEqual([`buildx_buildkit_${prefix}0`]);
    // Another step of the job: another private folder, the same container.
    await runner.write("last", "two");
    const two = passed(await buildPush(bed, runner, { ...inputs(), name: "web" }, environment));
    expect(cachedSteps(two)).toEqual([1, 2]);
    await docker(["stop", "--time=1", `buildx_buildkit_${prefix}0`]);
    const three = passed(await buildPush(bed, runner, { ...inputs(), name: "web" }, environment));
    expect(three.stdout).toContain("0 built, 1 reused");
    expect(three.stdout).not.toContain("Starting the docker-container builder");
  });

  it("goes with the step where it is not to stay", async () => {
    await using runner = await Runner.create(files());
    const before = await containers();
    const given = { ...inputs(), builder: `${prefix}-gone`, name: "gone", "keep-builder": "false" };
    passed(await buildPush(bed, runner, given, { DOCKER_HOST: bed.dockerHost }));
    expect(await containers()).toEqual(before);
  });

  it("takes the place of a Docker daemon that cannot push by digest, and says so", async () => {
    await using runner = await Runner.create(files());
    const step = await buildPush(
      bed,
      runner,
      { registry: `${bed.registry}/${prefix}`, name: "daemon" },
      { DOCKER_HOST: bed.dockerHost },
    );
    expect(step.stdout).toContain("The Docker daemon itself cannot push by digest");
    // Its usual image comes from the world, which is not to be reached from here.
    expect(step.outputs.cause).toContain("runs moby/buildkit:buildx-stable-1");
  });

  it.each([
    [
      "no engine",
      {},
      { DOCKER_HOST: "unix:///nowhere/docker.sock" },
      "none answers at unix:///nowhere/docker.sock",
    ],
    [
      "no such image",
      { "driver-opts": "image=127.0.0.1:1/no/such:1" },
      {},
      "runs 127.0.0.1:1/no/such:1",
    ],
    [
      "no such option",
      { "driver-opts": "imge=x" },
      {},
      "The driver docker-container has no option imge",
    ],
  ])("fails in seconds where there is %s", async (_, given, environment, cause) => {
    await using runner = await Runner.create(files());
    const step = await buildPush(
      bed,
      runner,
      { ...inputs(), builder: `${prefix}-bad`, name: "bad", ...given },
      { DOCKER_HOST: bed.dockerHost, ...environment },
    );
    expect(step.exitCode).toBe(1);
    expect(step.outputs.cause).toContain(cause);
    expect(step.milliseconds).toBeLessThan(20_000);
  });
});

describe("a BuildKit that is reached by TLS", () => {
  it("builds for who has its certificates, which are in no argument and no file that stays", async () => {
    await using gate = await openTlsGate(bed.buildkit);
    await using runner = await Runner.create(files());
    const inputs = {
      registry: `${bed.registry}/${prefix}`,
      name: "tls",
      buildkit: gate.address,
      "buildkit-ca": gate.ca,
      "buildkit-cert": gate.client.cert,
      "buildkit-key": gate.client.key,
    };
    const step = passed(await buildPush(bed, runner, inputs));
    const told = step.lines.filter((line) => !line.startsWith("::add-mask::"));
    expect(told.join("\n")).not.toContain("PRIVATE KEY");
    expect(step.leftovers.filter((name) => !name.startsWith("images-"))).toEqual([]);
    // Without ours it hangs up on us.
    const { "buildkit-cert": _, "buildkit-key": __, ...others } = inputs;
    const refused = await buildPush(bed, runner, { ...others, rebuild: "always" });
    expect(refused.exitCode).toBe(1);
    expect(refused.outputs.cause).toContain(`BuildKit at ${gate.address} was reached by TLS`);
  });
});

describe("a builder of several machines", () => {
  it("builds each platform on its own, and moves no tag before the gate", async () => {
    await using other = await OwnBuildKit.start();
    await using runner = await Runner.create({
      Dockerfile: "FROM scratch\nARG TARGETARCH\nCOPY last /made-for-$TARGETARCH\n",
      last: prefix,
    });
    const nodes = [
      { endpoint: bed.buildkit, platforms: "linux/amd64" },
      { endpoint: other.address, platforms: "linux/arm64" },
    ];
    const inputs = {
      registry: `${bed.registry}/${prefix}`,
      name: "both",
      tags: "asked-for",
      platforms: "linux/amd64,linux/arm64",
      driver: "remote",
      "builder-nodes": JSON.stringify(nodes),
      cache: "registry",
    };
    const step = passed(await buildPush(bed, runner, inputs));
    expect(JSON.parse(step.outputs.images ?? "").both.platforms).toEqual([
      "linux/amd64",
      "linux/arm64",
    ]);
    const answer = await fetch(`http://${bed.registry}/v2/${prefix}/both/tags/list`);
    const { tags } = (await answer.json()) as { tags: string[] };
    expect(tags.filter((tag) => !tag.startsWith("key-")).sort()).toEqual([
      "asked-for",
      "buildcache-linux-amd64",
      "buildcache-linux-arm64",
    ]);
    // Put together anew, it is the same.
    const again = passed(await buildPush(bed, runner, { ...inputs, rebuild: "always" }));
    expect(again.outputs.digests).toBe(step.outputs.digests);
  });
});

describe("a builder that is named", () => {
  it("and that nobody has made is an error", async () => {
    await using runner = await Runner.create(files());
    const step = await buildPush(bed, runner, {
      registry: `${bed.registry}/${prefix}`,
      name: "wrong",
      builder: "nobody-has-made-it",
    });
    expect(step.exitCode).toBe(1);
    expect(step.outputs.cause).toContain('buildx knows no builder "nobody-has-made-it"');
  });
});
