import { event, pod } from "../objects.ts";
import { condition, type VerdictRow, verdictTable } from "./verdict-table.ts";

const uid = "uid-web-2-abcde";
const exited = (exitCode: number) => ({ state: { terminated: { exitCode } } });
const silent = { status: { state: { running: {} } } };

const driven = pod({ phase: "Failed", restartPolicy: "Never" });
const evicted = {
  ...driven,
  status: {
    phase: "Failed",
    reason: "Evicted",
    message: "The node was low on resource: memory",
  },
} as const;

const rows: readonly VerdictRow[] = [
  ["that is ready", pod(), "ready", ""],
  [
    "that ran to its end",
    pod({ phase: "Succeeded", restartPolicy: "Never", status: exited(0) }),
    "ready",
    "it ran to its end",
  ],
  [
    "that failed",
    pod({ phase: "Failed", restartPolicy: "Never", status: exited(3) }),
    "failed",
    'PodFailed; pod web-2-abcde failed: container "web" of pod web-2-abcde ended with exit code 3',
  ],
  [
    "that its node drove out",
    evicted,
    "failed",
    "PodFailed; pod web-2-abcde failed: Evicted, The node was low on resource: memory",
  ],
  [
    "of whose condition nobody knows",
    pod({ ...silent, conditions: [condition("Ready", "Unknown", "NodeStatusUnknown", "no news")] }),
    "progressing",
    "pod web-2-abcde on node node-1: Ready is Unknown (NodeStatusUnknown: no news)",
  ],
  [
    "whose node is away",
    pod({ ...silent, conditions: [condition("Ready", "False", "NodeNotReady")] }),
    "progressing",
    "on node node-1: Ready is False (NodeNotReady)",
  ],
  [
    "with a warning that nobody knows",
    pod({ status: {} }),
    "progressing",
    "ContainerCreating (DiskIsBlue: never seen before)",
    { events: [event(uid, "DiskIsBlue", "never seen before")] },
  ],
  [
    "that is held back",
    pod({
      unplaced: true,
      conditions: [condition("PodScheduled", "False", "SchedulingGated")],
    }),
    "progressing",
    "held back by a scheduling gate",
  ],
];
verdictTable("a pod that stands alone", rows);
