import { event } from "../objects.ts";
import { object, verdictTable } from "./verdict-table.ts";

const claim = (phase: string, storageClassName?: string, annotations = {}) => ({
  ...object("v1", "PersistentVolumeClaim", { spec: { storageClassName }, status: { phase } }),
  metadata: { name: "data", namespace: "shop", uid: "u1", annotations },
});
const storageClass = (name: string, volumeBindingMode: string) => ({
  ...object("storage.k8s.io/v1", "StorageClass", { volumeBindingMode }),
  metadata: { name },
});
const others = {
  StorageClass: [storageClass("late", "WaitForFirstConsumer"), storageClass("now", "Immediate")],
};
const waits = event("u1", "WaitForFirstConsumer", "waiting for first consumer", 30);
const failed = event("u1", "ProvisioningFailed", 'storageclass "slow" not found', 5);

verdictTable("a PersistentVolumeClaim", [
  ["bound", claim("Bound"), "ready", ""],
  ["whose volume is lost", claim("Lost"), "failed", "VolumeLost; the volume of claim data is lost"],
  ["not bound", claim("Pending", "now"), "progressing", "not bound to a volume", { others }],
  [
    "of a class that waits for the first pod",
    claim("Pending", "late"),
    "ready",
    "it is bound when the first pod uses it",
    { others },
  ],
  [
    "of such a class, whose pod is there",
    claim("Pending", "late", { "volume.kubernetes.io/selected-node": "node-1" }),
    "progressing",
    "not bound to a volume",
    { others },
  ],
  [
    "that an event says to wait, where classes may not be read",
    claim("Pending", "late"),
    "ready",
    "it is bound when the first pod uses it",
    { forbidden: ["StorageClass"], events: [waits] },
  ],
  [
    "that waited, and then got no volume",
    claim("Pending", "slow"),
    "failing",
    'VolumeNotBound; claim data is not bound: storageclass "slow" not found',
    { events: [waits, failed] },
  ],
]);
