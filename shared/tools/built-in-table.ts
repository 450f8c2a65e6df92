import buildx from "./table/buildx.json" with { type: "json" };
import cosign from "./table/cosign.json" with { type: "json" };
import crane from "./table/crane.json" with { type: "json" };
import helm from "./table/helm.json" with { type: "json" };
import kubectl from "./table/kubectl.json" with { type: "json" };
import kustomize from "./table/kustomize.json" with { type: "json" };
import postgresqlClient from "./table/postgresql-client.json" with { type: "json" };
import trivy from "./table/trivy.json" with { type: "json" };
import type { Table, ToolTable } from "./table.ts";

/** The versions and checksums that this repository vouches for. */
export const builtInTable: Table = {
  buildx,
  cosign,
  crane: crane as ToolTable,
  helm: helm as ToolTable,
  kubectl,
  kustomize: kustomize as ToolTable,
  "postgresql-client": postgresqlClient as ToolTable,
  trivy: trivy as ToolTable,
};
