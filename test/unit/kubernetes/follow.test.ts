import { describe, expect, it } from "@jest/globals";
import { apiError, Unreachable } from "../../../shared/kubernetes/api-error.ts";
import { type Cluster, follow, type KubernetesObject } from "../../../shared/kubernetes/index.ts";

const COLLECTION = { apiVersion: "v1", kind: "Pod", namespace: "shop" };
const ASKED = { verb: "watch", resource: "pods" };

function object(name: string, resourceVersion: string): KubernetesObject {
  return { apiVersion: "v1", kind: "Pod", metadata: { name, resourceVersion } };
}

type Turn =
  | { list: string }
  | { watch: ["ADDED" | "DELETED" | "BOOKMARK" | "ERROR", object][] }
  | Error;

/** An API server that plays a script, one turn for each list or watch; then all is silent. */
function scripted(turns: Turn[]): { cluster: Cluster; asked: string[]; stop: AbortController } {
  const stop = new AbortController();
  const asked: string[] = [];
  const next = () => {
    const turn = turns.shift();
    if (turn === undefined) stop.abort();
    if (turn instanceof Error) throw turn;
    return turn ?? { watch: [] };
  };
  const cluster = {
    boundTo: () => cluster,
    async list() {
      asked.push("list");
      const turn = next();
      return { items: [], resourceVersion: "list" in turn ? turn.list : "" };
    },
    async *watch(_: object, from: string) {
      asked.push(`watch ${from}`);
      const turn = next();
      if ("watch" in turn) for (const [type, value] of turn.watch) yield { type, object: value };
    },
  };
  return { cluster: cluster as unknown as Cluster, asked, stop };
}

async function play(turns: Turn[]) {
  const { cluster, asked, stop } = scripted(turns);
  const told: string[] = [];
  const follower = {
    replaced: () => void told.push("replaced"),
    changed: ({ metadata }: KubernetesObject) => void told.push(`changed ${metadata.name}`),
    deleted: ({ metadata }: KubernetesObject) => void told.push(`deleted ${metadata.name}`),
    lost: () => void told.push("lost"),
    found: () => void told.push("found"),
  };
  const end = follow(cluster, COLLECTION, follower, stop.signal);
  return { end, asked, told };
}

const gone = new Unreachable("https://x", Object.assign(new Error("x"), { code: "ECONNREFUSED" }));

describe("following a collection", () => {
  it("lists once, and takes a watch up where it ended", async () => {
    const { end, asked, told } = await play([
      { list: "1" },
      {
        watch: [
          ["ADDED", object("a", "2")],
          ["BOOKMARK", object("", "5")],
        ],
      },
      { watch: [["DELETED", object("a", "6")]] },
    ]);
    await end;
    expect(asked).toEqual(["list", "watch 1", "watch 5", "watch 6"]);
    expect(told).toEqual(["replaced", "changed a", "deleted a"]);
  });

  it("begins anew when what it knows is too old", async () => {
    const expired = { kind: "Status", code: 410, reason: "Expired", metadata: {} };
    const { end, asked } = await play([
      { list: "1" },
      { watch: [["ERROR", expired]] },
      { list: "9" },
    ]);
    await end;
    expect(asked).toEqual(["list", "watch 1", "list", "watch 9"]);
  });

  it("waits for a server that goes away, and says so once", async () => {
    const { end, asked, told } = await play([{ list: "1" }, gone, gone, gone, { list: "2" }]);
    await end;
    expect(asked).toEqual(["list", "watch 1", "watch 1", "list", "list", "watch 2"]);
    expect(told).toEqual(["replaced", "lost", "found", "replaced"]);
  });

  it("takes a connection that breaks once for no more than that", async () => {
    const { end, asked, told } = await play([{ list: "1" }, gone, { watch: [] }]);
    await end;
    expect(asked).toEqual(["list", "watch 1", "watch 1", "watch 1"]);
    expect(told).toEqual(["replaced"]);
  });

  it("bears with a server that wakes up and does not know its roles yet", async () => {
    const refused = apiError(403, "", ASKED);
    const { end, asked, told } = await play([
      { list: "1" },
      gone,
      gone,
      refused,
      apiError(401, "", ASKED),
      { list: "2" },
    ]);
    await end;
    expect(asked.slice(3)).toEqual(["list", "list", "list", "watch 2"]);
    expect(told).toEqual(["replaced", "lost", "found", "replaced"]);
  });

  it.each([
    ["a server that never was there", [gone]],
    ["a permission that is missing", [apiError(403, "", ASKED)]],
    ["a permission that is taken away", [{ list: "1" }, apiError(403, "", ASKED)]],
    ["credentials that run out", [{ list: "1" }, apiError(401, "", ASKED)]],
  ])("gives up on %s", async (_, turns: Turn[]) => {
    const { end } = await play(turns);
    await expect(end).rejects.toMatchObject({
      name: expect.stringMatching(/ApiError|Unreachable/),
    });
  });
});
