import { condition, object, verdictTable } from "./verdict-table.ts";

const parent = { name: "public" };
const internal = { name: "internal", sectionName: "http" };
const route = (parentRefs: readonly object[], parents: readonly object[]) =>
  object("gateway.networking.k8s.io/v1", "HTTPRoute", {
    spec: { parentRefs },
    status: { parents },
  });
const good = [
  condition("Accepted", "True", "Accepted", "", 2),
  condition("ResolvedRefs", "True", "ResolvedRefs", "", 2),
];
const asWritten = { parentRef: parent, conditions: good };
const withDefaults = {
  parentRef: {
    group: "gateway.networking.k8s.io",
    kind: "Gateway",
    namespace: "shop",
    name: "public",
  },
  conditions: good,
};
const said = (...conditions: readonly object[]) => ({ parentRef: parent, conditions });

verdictTable("an HTTPRoute", [
  ["accepted, all resolved", route([parent], [asWritten]), "ready", ""],
  ["with the defaults filled in by its controller", route([parent], [withDefaults]), "ready", ""],
  ["without parents", route([], []), "ready", "it names no parent"],
  [
    "of which nobody has spoken",
    route([parent], []),
    "progressing",
    "no controller has spoken for gateway/public",
  ],
  [
    "of which one parent of two has spoken",
    route([parent, internal], [asWritten]),
    "progressing",
    "no controller has spoken for gateway/internal (http)",
  ],
  [
    "accepted at an older generation",
    route([parent], [said(...good.map((one) => ({ ...one, observedGeneration: 1 })))]),
    "progressing",
    "the controller of gateway/public has not seen the change",
  ],
  [
    "not accepted",
    route(
      [parent],
      [
        said(
          condition("Accepted", "False", "NoMatchingListenerHostname", "no host", 2),
          good[1] ?? {},
        ),
      ],
    ),
    "failing",
    "RouteRefused; gateway/public does not accept the route: Accepted is False (NoMatchingListenerHostname: no host)",
  ],
  [
    "with a backend that does not exist",
    route(
      [parent],
      [said(good[0] ?? {}, condition("ResolvedRefs", "False", "BackendNotFound", "", 2))],
    ),
    "failing",
    "RouteUnresolved; gateway/public does not find what the route leads to",
  ],
  [
    "accepted by one of two controllers of the same parent",
    route(
      [parent],
      [asWritten, said(condition("Accepted", "False", "NotAllowedByListeners", "", 2))],
    ),
    "failing",
    "NotAllowedByListeners",
  ],
  [
    "still being looked at",
    route([parent], [said(condition("Accepted", "Unknown", "Pending"), good[1] ?? {})]),
    "progressing",
    "Accepted is Unknown (Pending)",
  ],
  [
    "accepted, with its references not spoken of",
    route([parent], [said(good[0] ?? {})]),
    "progressing",
    "has not said whether it is ResolvedRefs",
  ],
]);
