import { describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import { mentionReader } from "../../../shared/retention/index.ts";

const web = { host: "ghcr.io", path: "owner/web" };
const nginx = { host: "docker.io", path: "library/nginx" };
const local = { host: "127.0.0.1:5000", path: "shop/web" };
const digest = `sha256:${"ab".repeat(32)}`;

const read = (text: string, ...repositories: Parameters<typeof mentionReader>[0]) => {
  const { digests, tags } = mentionReader(repositories)(text);
  return {
    digests: [...digests],
    tags: Object.fromEntries([...tags].map(([name, under]) => [name, [...under]])),
  };
};

describe("images that a text names", () => {
  it.each<[string, Parameters<typeof read>, ReturnType<typeof read>]>([
    ["none", ["nothing here", web], { digests: [], tags: {} }],
    [
      "a digest, by whatever name",
      [`mirror.example/web@${digest}`, web],
      { digests: [digest], tags: {} },
    ],
    [
      "a tag in YAML, in JSON and in an argument",
      [
        'image: ghcr.io/owner/web:v1\n{"image":"ghcr.io/owner/web:v2"} --image=ghcr.io/owner/web:v3',
        web,
      ],
      { digests: [], tags: { "ghcr.io/owner/web": ["v1", "v2", "v3"] } },
    ],
    [
      "a tag with its digest",
      [`ghcr.io/owner/web:v1@${digest}`, web],
      { digests: [digest], tags: { "ghcr.io/owner/web": ["v1"] } },
    ],
    [
      "none of a repository whose name only ends or begins alike",
      ["ghcr.io/owner/web-admin:v1 my.ghcr.io/owner/web:v2 x/ghcr.io/owner/web:v3", web],
      { digests: [], tags: {} },
    ],
    [
      "those of Docker Hub however they are spelled",
      ["docker.io/library/nginx:1 index.docker.io/library/nginx:2 library/nginx:3 nginx:4", nginx],
      { digests: [], tags: { "docker.io/library/nginx": ["1", "2", "3", "4"] } },
    ],
    [
      "those of a registry with a port",
      ["docker-pullable://127.0.0.1:5000/shop/web:v1 127.0.0.1:5000/shop/web:v2", local],
      { digests: [], tags: { "127.0.0.1:5000/shop/web": ["v2"] } },
    ],
    ["no digest that is longer", [`${digest}0`, web], { digests: [], tags: {} }],
  ])("%s", (_, given, expected) => {
    expect(read(...given)).toEqual(expected);
  });

  it("are found in any JSON that holds them", () => {
    const tag = fc.stringMatching(/^[A-Za-z0-9_][A-Za-z0-9._-]{0,20}$/);
    fc.assert(
      fc.property(fc.json(), fc.string(), tag, (noise, key, name) => {
        const text = JSON.stringify({ [key]: noise, image: `ghcr.io/owner/web:${name}` });
        expect(read(text, web).tags["ghcr.io/owner/web"]).toContain(name);
      }),
    );
  });
});
