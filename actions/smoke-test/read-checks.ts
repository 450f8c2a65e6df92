import { load } from "js-yaml";
import {
  choice,
  duration,
  flag,
  integer,
  isMapping,
  nearestOf,
  type Part,
  structure,
} from "../../shared/action/index.ts";
import { type Kind, parseLatencyLimit } from "../../shared/probe/index.ts";
import { type CheckSpec, type Destination, type Given, KEYS } from "./check-spec.ts";
import { secretsOfHeader } from "./headers.ts";
import { readExec, readGrpc, readHttp, readTcp } from "./read-kinds.ts";
import { readIngress, readServer, readUrl, SCHEMES } from "./read-url.ts";
import { readService } from "./service-name.ts";
import { readWorkload } from "./workload-name.ts";

const MOST_CHECKS = 100;
const TYPES = Object.keys(KEYS) as readonly Kind[];

/** The input `checks`: a list of checks, every problem in it reported at once. */
export const checkList = structure((list: Part): readonly CheckSpec[] =>
  list.items("check", MOST_CHECKS).flatMap((item) => readCheck(item) ?? []),
);

function readCheck(item: Part): CheckSpec | undefined {
  const type = typeOf(item);
  if (type === undefined) return undefined;
  refuseKeysOfOthers(item, type);
  const given: Given = item.keys([...new Set(Object.values(KEYS).flat())]);
  const common = readCommon(given, item, type);
  if (type === "exec") return { ...common, ...readExec(given, item) };
  if (type === "grpc") return { ...common, ...readGrpc(given) };
  if (type === "tcp") return { ...common, ...readTcp(given) };
  return { ...common, ...readHttp(given) };
}

/** By the key `type`, or by what only one type has. */
function typeOf(item: Part): Kind | undefined {
  const { value } = item;
  if (!isMapping(value)) return item.refuse("it is not a mapping of names to values");
  if (value.type !== undefined) {
    const found = TYPES.find((type) => type === value.type);
    const named = JSON.stringify(value.type);
    return (
      found ?? item.refuse(`${named} is no type of check; ${nearestOf(String(value.type), TYPES)}`)
    );
  }
  if (value.command !== undefined) return "exec";
  if (value["grpc-service"] !== undefined) return "grpc";
  return SCHEMES[URL.parse(String(value.url))?.protocol ?? ""]?.type ?? "http";
}

/** A key that belongs to checks of another type is told as such, not as unknown. */
function refuseKeysOfOthers(item: Part, type: Kind): void {
  const own: readonly string[] = KEYS[type];
  for (const key of Object.keys(Object(item.value))) {
    if (own.includes(key)) continue;
    const others = TYPES.filter((other) => (KEYS[other] as readonly string[]).includes(key));
    if (others.length > 0) {
      item.refuse(
        `${key} belongs to checks of type ${others.join(" or ")}; this one is of type ${type}`,
      );
    }
  }
}

const FLAG = flag({ required: true });
const PODS = choice(["one", "every"], { required: true });
const TIMEOUT = duration({ min: 50, max: 3_600_000 }, { required: true });
const INTERVAL = duration({ min: 50, max: 60_000 }, { required: true });
const LATENCY = duration({ min: 1, max: 600_000 }, { required: true });
const COUNT = integer({ min: 1, max: 1_000 }, { required: true });
const AT_ONCE = integer({ min: 1, max: 20 }, { required: true });
const DIGEST = /^sha256:[0-9a-f]{64}$/;

function readCommon(given: Given, item: Part, type: Kind) {
  const latency = (given.latency?.oneOrMore() ?? []).flatMap(
    (limit) => limit.parsed(parseLatencyLimit) ?? [],
  );
  const counts = new Set(latency.flatMap(({ requests }) => requests ?? []));
  const stated = given.requests?.parsed(COUNT.parse);
  if (stated !== undefined) counts.add(stated);
  if (counts.size > 1) item.refuse(`it wants ${[...counts].join(" and ")} requests at once`);
  const digest = given.digest?.text();
  if (digest !== undefined && !DIGEST.test(digest)) {
    given.digest?.refuse("it must be sha256: and 64 hex digits");
  }
  return {
    name: given.name?.scalar(),
    to: readDestination(given, item, type),
    pods: given.pods?.parsed(PODS.parse),
    timeout: given.timeout?.parsed(TIMEOUT.parse),
    requestTimeout: given["request-timeout"]?.parsed(TIMEOUT.parse),
    interval: given.interval?.parsed(INTERVAL.parse),
    attempts: given.attempts?.parsed(COUNT.parse),
    requests: [...counts][0],
    atOnce: given["at-once"]?.parsed(AT_ONCE.parse),
    latency,
    maxLatency: given["max-latency"]?.parsed(LATENCY.parse),
    digest,
    tls: given.tls?.parsed(FLAG.parse),
    serverName: given["server-name"]?.text(),
  };
}

function readDestination(given: Given, item: Part, type: Kind): Destination | undefined {
  const named = (["url", "service", "ingress", "workload"] as const).filter(
    (key) => given[key] !== undefined,
  );
  if (named.length > 1) return item.refuse(`it has both ${named.join(" and ")}; give one of them`);
  const connectTo = given["connect-to"]?.parsed(readServer);
  if (connectTo !== undefined && given.url === undefined) {
    item.refuse("connect-to needs the url that is to be reached there");
  }
  const url = given.url?.parsed((text) => readUrl(text, type));
  if (url !== undefined) return { kind: "url", url, connectTo };
  const service = given.service?.parsed(readService);
  if (service !== undefined) return { kind: "service", service };
  const ingress = given.ingress?.parsed(readIngress);
  if (ingress !== undefined) return { kind: "ingress", ingress };
  const workload = given.workload?.parsed(readWorkload);
  return workload === undefined ? undefined : { kind: "workload", workload };
}

const LIKE_A_SECRET = /(?:auth|cookie|credential|key|password|secret|token)[\w-]*["']?\s*:(.+)/gi;

/** Values of request headers, which may be credentials. */
export function secretsOfChecks(raw: string): readonly string[] {
  const checks = parsed(raw);
  // The message that says so quotes the beginning of what cannot be read.
  if (checks === undefined) {
    return [...raw.matchAll(LIKE_A_SECRET)].map(([, value = ""]) => value.trim());
  }
  const headers = (Array.isArray(checks) ? checks : []).flatMap((check) =>
    Object.entries(Object(Object(check).headers)),
  );
  return headers.flatMap(([name, value]) => secretsOfHeader(name, String(value)));
}

function parsed(raw: string): unknown {
  try {
    return load(raw) ?? null;
  } catch {
    return undefined;
  }
}
