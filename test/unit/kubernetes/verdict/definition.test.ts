import { condition, object, verdictTable } from "./verdict-table.ts";

const definition = (...conditions: readonly object[]) =>
  object("apiextensions.k8s.io/v1", "CustomResourceDefinition", { status: { conditions } });
const named = condition("NamesAccepted", "True", "NoConflicts");

verdictTable("a CustomResourceDefinition", [
  ["established", definition(named, condition("Established", "True")), "ready", ""],
  ["new", definition(), "progressing", "not established yet"],
  [
    "being installed",
    definition(named, condition("Established", "False", "Installing", "the initial names")),
    "progressing",
    "Established is False (Installing: the initial names)",
  ],
  [
    "with names that are taken",
    definition(
      condition("NamesAccepted", "False", "PluralConflict", '"widgets" is already in use'),
      condition("Established", "False", "NotAccepted"),
    ),
    "failed",
    'NamesNotAccepted; the names of the definition are taken: NamesAccepted is False (PluralConflict: "widgets" is already in use)',
  ],
  [
    "being deleted",
    definition(named, condition("Established", "True"), condition("Terminating", "True")),
    "progressing",
    "being deleted",
  ],
]);
