import { UserError } from "../../shared/failure/index.ts";
import { WebApi } from "../../shared/web-api/index.ts";
import type { World } from "../../shared/world/index.ts";

/**
 * Tells a Pushgateway the metrics, in a group of their own for the series of backups, in place of
 * those of the verification before.
 *
 * Source: github.com/prometheus/pushgateway, README, "Request Body" and "PUT method".
 *
 * @param address may hold a user and a password.
 * @throws {UserError} when it does not take them.
 */
export async function pushMetrics(
  address: string,
  name: string,
  text: string,
  world: World,
): Promise<void> {
  const { url, headers } = target(address, name);
  using api = new WebApi(world);
  const answer = await api.ask({
    method: "PUT",
    url,
    headers: { "content-type": "text/plain; version=0.0.4", ...headers },
    body: text,
    signal: world.signal,
    service: "the Pushgateway",
  });
  if (answer.status >= 200 && answer.status < 300) return;
  throw new UserError({
    title: "The Pushgateway did not take the metrics",
    cause: `${url.origin} answered ${answer.status}: ${answer.text.trim().slice(0, 300) || "nothing more"}.`,
    remedy:
      "Check the address, and whether a user and a password are wanted: https://user:password@host.",
  });
}

function target(address: string, name: string) {
  const url = new URL(address);
  const { username, password } = url;
  const sent = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
  const headers: Record<string, string> =
    username === "" ? {} : { authorization: `Basic ${Buffer.from(sent).toString("base64")}` };
  url.username = "";
  url.password = "";
  const group = `metrics/job/verify-backup/${labelOf("backup", name)}`;
  url.pathname = `${url.pathname.replace(/\/$/, "")}/${group}`;
  return { url, headers };
}

/** A slash in a value, even an escaped one, would end it. Source: the same, "URL". */
function labelOf(label: string, value: string): string {
  return value.includes("/")
    ? `${label}@base64/${Buffer.from(value).toString("base64url")}`
    : `${label}/${encodeURIComponent(value)}`;
}
