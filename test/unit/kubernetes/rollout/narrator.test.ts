import { describe, expect, it } from "@jest/globals";
import { grouped, listed, Narrator } from "../../../../shared/kubernetes/rollout/narrator.ts";
import type { Tracker } from "../../../../shared/kubernetes/rollout/tracker.ts";

type State = Tracker["verdict"]["state"];

function tracker(name: string, state: State = "progressing", missing = "0 of 5 pods available") {
  return { name, missing, verdict: { state } } as unknown as Tracker & {
    verdict: { state: State };
  };
}

function narrator(targets: number) {
  const lines: string[] = [];
  const info = (text: string) => void lines.push(text);
  const quiet = () => undefined;
  const log = { info, debug: quiet, warning: quiet, group: quiet };
  return { lines, told: new Narrator(log, targets) };
}

const many = (count: number, state: State = "progressing") =>
  Array.from({ length: count }, (_, index) => tracker(`deployment/web-${index}`, state));

describe("of few targets", () => {
  it("every change is told, and the heartbeat names all that is missing", () => {
    const { lines, told } = narrator(2);
    told.changed(tracker("deployment/a"), "0 of 2 pods available");
    told.heartbeat([tracker("deployment/a"), tracker("deployment/b", "ready")], 42, false);
    expect(lines).toEqual([
      "deployment/a: 0 of 2 pods available",
      "Still waiting for deployment/a (0 of 5 pods available); 42 s left",
    ]);
  });
});

describe("of many targets", () => {
  it("troubles and their end are told, progress is not", () => {
    const { lines, told } = narrator(1_000);
    const one = tracker("deployment/a");
    told.changed(one, "0 of 5 pods available");
    one.verdict.state = "failing";
    told.changed(one, "in trouble: image not found");
    one.verdict.state = "progressing";
    told.changed(one, "2 of 5 pods available");
    one.verdict.state = "ready";
    told.changed(one, "ready");
    told.changed(tracker("deployment/b", "ready"), "ready");
    expect(lines).toEqual(["deployment/a: in trouble: image not found", "deployment/a: ready"]);
  });

  it("no more than 25 troubles are told one by one, but what failed always is", () => {
    const { lines, told } = narrator(1_000);
    for (const one of many(200, "failing")) told.changed(one, "in trouble");
    told.changed(tracker("deployment/z", "failed"), "failed: it is broken");
    expect(lines).toHaveLength(26);
    expect(lines.at(-1)).toBe("deployment/z: failed: it is broken");
    told.heartbeat(many(200, "failing"), 10, true);
    expect(lines.at(-1)).toContain("175 more troubles than are told above");
    expect(lines.at(-1)).toMatch(/10 s left; the API server is away$/);
  });

  it("those that are ready are counted, every 5 s at most", () => {
    const { lines, told } = narrator(1_000);
    const all = [...many(998), ...many(2, "ready")];
    told.looked(all, 0);
    told.looked([...all.slice(1), ...many(1, "ready")], 4_999);
    told.looked([...all.slice(1), ...many(1, "ready")], 5_000);
    told.looked([...all.slice(1), ...many(1, "ready")], 20_000);
    expect(lines).toEqual(["2 of 1000 ready", "3 of 1000 ready"]);
  });

  it("the heartbeat groups what misses the same", () => {
    const { lines, told } = narrator(1_000);
    const all = [...many(500), tracker("statefulset/db", "progressing", "it does not exist yet")];
    told.heartbeat(all, 30, false);
    expect(lines).toEqual([
      'Still waiting for 501 of 501: 500 like "0 of 5 pods available" (deployment/web-0, deployment/web-1, deployment/web-2, 497 more); 1 it does not exist yet (statefulset/db); 30 s left',
    ]);
  });
});

describe("what is missing", () => {
  it("is alike but for counts and the names of pods", () => {
    expect(
      grouped([
        tracker("a", "progressing", "pod a-x1: container main: not ready; 1 of 2 pods available"),
        tracker("b", "progressing", "pod b-y2: container main: not ready"),
      ]),
    ).toMatch(/^2 like/);
  });

  it("of more than five kinds is summed up", () => {
    const kinds = ["one", "two", "three", "four", "five", "six", "seven"];
    const waiting = kinds.map((missing) => tracker(missing, "progressing", missing));
    expect(grouped(waiting)).toMatch(/; 2 for other reasons$/);
  });

  it("names the first", () => {
    expect(listed(["a", "b"], 2)).toBe("a, b");
    expect(listed(["a", "b", "c"], 2)).toBe("a, b, 1 more");
  });
});
