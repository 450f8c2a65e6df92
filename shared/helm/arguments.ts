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

/** What else shapes a release, beside its chart and values. */
export interface ReleaseFlags {
  /** The CustomResourceDefinitions in the chart's folder crds/ are not Helm's to install. */
  readonly skipCrds?: boolean;
  /** Helm 4: fields that others own are taken over. */
  readonly forceConflicts?: boolean;
  /** Flags that lead Helm to a post-renderer, and what its environment needs for that. */
  readonly postRender?: readonly string[];
  readonly environment?: Readonly<Record<string, string | undefined>>;
}

/** Renders a chart by itself, without asking the cluster: quick, and exact where it asks nothing. */
export function templateArguments(
  release: ReleaseRef,
  chart: ChartRef,
  values: readonly string[],
  { postRender = [] }: ReleaseFlags = {},
): readonly string[] {
  return [
    "template",
    ...namespaceFlag(release),
    ...postRender,
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
  { skipCrds = false, forceConflicts = false, postRender = [] }: ReleaseFlags = {},
): readonly string[] {
  return [
    "upgrade",
    "--install",
    ...namespaceFlag(release),
    "--reset-values",
    `--timeout=${timeoutSeconds}s`,
    "--output=json",
    ...(skipCrds ? ["--skip-crds"] : []),
    ...(forceConflicts ? ["--force-conflicts"] : []),
    ...postRender,
    ...chartFlags(chart, values),
    "--",
    release.name,
    chart.location,
  ];
}

/**
 * Renders as the upgrade will, with what the cluster has and serves. It does so alike in Helm 3 and
 * 4, where `helm template` does not.
 */
export function previewArguments(
  release: ReleaseRef,
  chart: ChartRef,
  values: readonly string[],
  flags: ReleaseFlags = {},
): readonly string[] {
  const [command = "", ...rest] = upgradeArguments(release, chart, values, 60, flags);
  return [command, "--dry-run=server", ...rest];
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

/** The definitions in the folders crds/ of a chart and of those that it depends on. */
export function showCrdsArguments(chart: ChartRef): readonly string[] {
  return ["show", "crds", ...chartFlags(chart, []), "--", chart.location];
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

/** Gets a chart as an archive. */
export function pullArguments(
  chart: ChartRef,
  folder: string,
  { caFile, plain }: { readonly caFile?: string | undefined; readonly plain: boolean },
): readonly string[] {
  return [
    "pull",
    ...chartFlags(chart, []),
    `--destination=${folder}`,
    ...(caFile === undefined ? [] : [`--ca-file=${caFile}`]),
    ...(plain ? ["--plain-http"] : []),
    "--",
    chart.location,
  ];
}
