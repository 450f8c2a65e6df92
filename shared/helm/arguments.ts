/** What Helm is to act on. Everything a user wrote is a positional after `--`, or a flag's value. */
export interface ReleaseRef {
  readonly name: string;
  readonly namespace: string;
}

export interface ChartRef {
  /** A folder, an archive, `repository/name` or `oci://...`. */
  readonly location: string;
  readonly version?: string | undefined;
}

/** The release name's form, as Helm checks it: pkg/chart/v2/util/validate_name.go. */
export const RELEASE_NAME =
  /^(?=.{1,53}$)[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;

/**
 * How a chart is rendered: by itself, which is quick; or with what the cluster serves, and checked
 * against it, as the first install or as an upgrade. None changes anything.
 */
export type Rendering = "alone" | "install" | "upgrade";

/**
 * Helm 4 calls `--validate` deprecated, but it means the same in both: its successor
 * `--dry-run=server` does not ask the cluster in Helm 3.
 */
export function templateArguments(
  release: ReleaseRef,
  chart: ChartRef,
  values: readonly string[],
  rendering: Rendering,
): readonly string[] {
  return [
    "template",
    ...namespaceFlag(release),
    ...(rendering === "alone" ? [] : ["--validate"]),
    ...(rendering === "upgrade" ? ["--is-upgrade"] : []),
    ...chartFlags(chart, values),
    "--",
    release.name,
    chart.location,
  ];
}

/**
 * Installs or upgrades without waiting for pods: the rollout engine does that.
 * `--reset-values`, for otherwise Helm takes the last revision's values when none are given, and
 * what is deployed would not be what the step says.
 */
export function upgradeArguments(
  release: ReleaseRef,
  chart: ChartRef,
  values: readonly string[],
  timeoutSeconds: number,
): readonly string[] {
  return [
    "upgrade",
    "--install",
    ...namespaceFlag(release),
    "--reset-values",
    `--timeout=${timeoutSeconds}s`,
    "--output=json",
    ...chartFlags(chart, values),
    "--",
    release.name,
    chart.location,
  ];
}

export function rollbackArguments(
  release: ReleaseRef,
  revision: number,
  timeoutSeconds: number,
): readonly string[] {
  const timeout = `--timeout=${timeoutSeconds}s`;
  return ["rollback", ...namespaceFlag(release), timeout, "--", release.name, String(revision)];
}

/** With `keepHistory`, the revisions stay recorded as uninstalled. */
export function uninstallArguments(release: ReleaseRef, keepHistory: boolean): readonly string[] {
  const keep = keepHistory ? ["--keep-history"] : [];
  return ["uninstall", ...namespaceFlag(release), ...keep, "--", release.name];
}

export function showValuesArguments(chart: ChartRef): readonly string[] {
  return ["show", "values", ...chartFlags(chart, []), "--", chart.location];
}

function namespaceFlag({ namespace }: ReleaseRef): readonly string[] {
  return [`--namespace=${namespace}`];
}

function chartFlags({ version }: ChartRef, values: readonly string[]): readonly string[] {
  const versionFlag = version === undefined ? [] : [`--version=${version}`];
  return [...versionFlag, ...values.map((file) => `--values=${file}`)];
}
