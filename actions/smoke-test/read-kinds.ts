import { flag, isMapping, nearestOf, type Part } from "../../shared/action/index.ts";
import { FormatError } from "../../shared/failure/index.ts";
import {
  type Expectation,
  parsePreset,
  parseStatusSet,
  type Source,
} from "../../shared/http/index.ts";
import { inexactInteger, parseJsonPath } from "../../shared/json/index.ts";
import type { ExecSpec, Given, GrpcSpec, HttpSpec, TcpSpec } from "./check-spec.ts";
import { headerName, readHeaders } from "./headers.ts";
import { ANY_TEXT, readTextExpectation } from "./read-text.ts";

const METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];
const FLAG = flag({ required: true });

/** What the keys of an HTTP check say. */
export function readHttp(given: Given) {
  const body = given["request-body"] && bodyOf(given["request-body"].value);
  const preset = given.preset?.parsed(parsePreset);
  if (preset !== undefined && given.path !== undefined) {
    given.path.refuse("the preset has paths of its own; give one of the two");
  }
  return {
    type: "http",
    preset,
    method: given.method?.parsed(methodOf) ?? (body === undefined ? undefined : "POST"),
    path: given.path?.parsed(pathOf),
    headers: { ...body?.headers, ...(given.headers && readHeaders(given.headers)) },
    body: body?.text,
    followRedirects: given["follow-redirects"]?.parsed(FLAG.parse),
    status: given.status?.as(parseStatusSet),
    expectation: {
      headers: given["response-headers"] ? readResponseHeaders(given["response-headers"]) : {},
      body: given.body ? readTextExpectation(given.body) : ANY_TEXT,
      json: given.json ? readJson(given.json) : [],
    },
    version: given.version && readVersion(given.version),
    answeredBy: given["answered-by"] && readSource(given["answered-by"], []),
  } satisfies Partial<HttpSpec>;
}

/** What the keys of a TCP check say. */
export function readTcp(given: Given) {
  return {
    type: "tcp",
    send: given.send?.scalar(),
    expect: given.expect ? readTextExpectation(given.expect) : ANY_TEXT,
  } satisfies Partial<TcpSpec>;
}

/** What the keys of a gRPC check say. */
export function readGrpc(given: Given) {
  return {
    type: "grpc",
    service: given["grpc-service"]?.scalar() ?? "",
    headers: given.headers ? readHeaders(given.headers) : {},
  } satisfies Partial<GrpcSpec>;
}

/** What the keys of a check by a command say. */
export function readExec(given: Given, item: Part) {
  if (given.command === undefined) item.refuse("command is missing");
  return {
    type: "exec",
    command: given.command ? readCommand(given.command) : [],
    container: given.container?.text(),
    exitCode: given["exit-code"]?.parsed(exitCodeOf) ?? 0,
    stdout: given.stdout ? readTextExpectation(given.stdout) : ANY_TEXT,
    stderr: given.stderr ? readTextExpectation(given.stderr) : ANY_TEXT,
  } satisfies Partial<ExecSpec>;
}

/** A program and its arguments; a text would need a shell to take it apart. */
function readCommand(part: Part): readonly string[] {
  if (typeof part.value === "string") {
    part.refuse(
      "write the program and its arguments as a list, such as [pg_isready, -q]; no shell reads them",
    );
    return [];
  }
  const words = part.items("word").flatMap((word) => word.scalar() ?? []);
  if (words[0] === "") part.refuse("the program has no name");
  return words;
}

function exitCodeOf(text: string): number {
  if (/^\d{1,3}$/.test(text) && Number(text) <= 255) return Number(text);
  throw new FormatError("an exit code is a number from 0 to 255");
}

function methodOf(text: string): string {
  const method = text.toUpperCase();
  if (METHODS.includes(method)) return method;
  throw new FormatError(`${JSON.stringify(text)} is no method; ${nearestOf(method, METHODS)}`);
}

/**
 * A path with an optional query, as it is sent.
 *
 * @throws {FormatError}
 */
export function pathOf(path: string): string {
  if (!path.startsWith("/")) throw new FormatError("it must start with a slash");
  if (/[\s\p{Cc}#\\]/u.test(path)) {
    throw new FormatError("blanks, backslashes and # must be percent-encoded");
  }
  return path;
}

/** Text goes out as it is, anything else as JSON. */
function bodyOf(value: unknown): {
  readonly text: string;
  readonly headers: Record<string, string>;
} {
  if (typeof value === "string") return { text: value, headers: {} };
  return { text: JSON.stringify(value), headers: { "content-type": "application/json" } };
}

function readResponseHeaders(part: Part): Expectation["headers"] {
  const entries = part
    .entries()
    .map(([name, expected]) => [name.toLowerCase(), readTextExpectation(expected)] as const);
  return Object.fromEntries(entries);
}

function readJson(part: Part): Expectation["json"] {
  return part.entries().flatMap(([text, expected]) => {
    const path = expected.as(() => parseJsonPath(text));
    // What YAML has beyond JSON (dates, infinity) becomes what JSON makes of it.
    const plain: unknown = JSON.parse(JSON.stringify(expected.value));
    if (inexactInteger(plain) !== undefined) {
      const hint = "look for its digits with body";
      expected.refuse(`an integer beyond 2^53 - 1 cannot be compared exactly; ${hint}`);
    }
    return path === undefined ? [] : [{ path, expected: plain }];
  });
}

function readVersion(part: Part): HttpSpec["version"] {
  const source = readSource(part, ["equals"]);
  const { equals } = isMapping(part.value) ? part.keys(["header", "json", "equals"]) : {};
  return source === undefined ? undefined : { source, equals: equals?.scalar() };
}

/** `{header: Name}` or `{json: $.path}`, beside other keys. */
function readSource(part: Part, others: readonly "equals"[]): Source | undefined {
  const known = ["header", "json", ...others] as const;
  if (!isMapping(part.value)) {
    return part.refuse("say where it stands: {header: X-Version} or {json: $.version}");
  }
  // Keys that are not known are noted once, by the caller that reads all of them.
  const given = others.length > 0 ? partsOf(part) : part.keys(known);
  if ((given.header === undefined) === (given.json === undefined)) {
    return part.refuse("give either header or json, which say where it stands");
  }
  const header = given.header?.parsed((text) => headerName(text, ""));
  if (header !== undefined) return { header };
  const json = given.json?.parsed(parseJsonPath);
  return json === undefined ? undefined : { json };
}

function partsOf(part: Part): { readonly header?: Part; readonly json?: Part } {
  return Object.fromEntries(part.entries());
}
