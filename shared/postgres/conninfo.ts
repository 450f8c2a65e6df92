import { UserError } from "../failure/index.ts";

const SCHEME = /^postgres(ql)?:\/\//;
/** What must not stand in an argument, where everybody sees it. */
const SECRET_PARAMETERS = /^(password|sslpassword|oauth_client_secret|scram_client_key)$/;

/** A connection URL, with what is secret taken out of it. */
export interface ParsedUrl {
  /** Without secrets, as libpq takes it. */
  readonly conninfo: string;
  readonly password: string | undefined;
  /** As they stand in the URL, for messages; hosts may be several, parted by commas. */
  readonly hosts: string;
  readonly database: string;
  readonly user: string;
}

/**
 * Takes a URL apart just so far that its password can be passed on by another way; what else it
 * means is left to libpq, which may be given several hosts and any parameter.
 *
 * Source: conninfo_uri_parse_options in src/interfaces/libpq/fe-connect.c.
 *
 * @throws {UserError} when it is none, or would be taken for something else than was meant.
 */
export function parseUrl(url: string): ParsedUrl {
  const text = url.trim();
  const scheme = SCHEME.exec(text)?.[0];
  if (scheme === undefined) {
    throw unreadable(
      "it does not begin with postgres://",
      "Write postgres://user@host:5432/database.",
    );
  }
  const rest = text.slice(scheme.length);
  const { user, password, after } = credentialsOf(rest);
  const question = after.indexOf("?");
  const path = question < 0 ? after : after.slice(0, question);
  if (path.includes("@")) throw ambiguous();
  const slash = path.indexOf("/");
  const hosts = slash < 0 ? path : path.slice(0, slash);
  const database = slash < 0 ? "" : path.slice(slash + 1);
  const { kept, secret } = parametersOf(question < 0 ? "" : after.slice(question + 1));
  return {
    conninfo: `${scheme}${user === undefined ? "" : `${user}@`}${path}${kept === "" ? "" : `?${kept}`}`,
    password: secret ?? (password === undefined ? undefined : decoded(password)),
    hosts: decoded(hosts) || parameter(kept, "host") || "",
    database: parameter(kept, "dbname") ?? decoded(database),
    user: parameter(kept, "user") ?? decoded(user ?? ""),
  };
}

function credentialsOf(rest: string): {
  readonly user?: string;
  readonly password?: string;
  readonly after: string;
} {
  const end = rest.search(/[@/?]/);
  if (end < 0 || rest[end] !== "@") {
    // An @ further on belongs to a password with a character that has to be escaped.
    if (/^[^/?]*:[^/?]*[/?].*@/.test(rest) && !/^[^/?:]*:\d*[/?]/.test(rest)) throw ambiguous();
    return { after: rest };
  }
  const credentials = rest.slice(0, end);
  const colon = credentials.indexOf(":");
  const after = rest.slice(end + 1);
  if (colon < 0) return { user: credentials, after };
  return { user: credentials.slice(0, colon), password: credentials.slice(colon + 1), after };
}

function parametersOf(query: string): { readonly kept: string; readonly secret?: string } {
  let secret: string | undefined;
  const kept = query.split("&").filter((pair) => {
    const [name = "", value = ""] = pair.split("=", 2);
    if (!SECRET_PARAMETERS.test(name)) return pair !== "";
    if (name !== "password") {
      throw unreadable(
        `it has ${name}, which cannot be passed on out of sight`,
        `Put ${name} into a service file, and name its service.`,
      );
    }
    secret = decoded(value);
    return false;
  });
  return { kept: kept.join("&"), ...(secret !== undefined && { secret }) };
}

function parameter(query: string, name: string): string | undefined {
  const pair = query.split("&").findLast((each) => each.startsWith(`${name}=`));
  return pair === undefined ? undefined : decoded(pair.slice(name.length + 1));
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw unreadable(
      "a % in it is not followed by two hexadecimal digits",
      "Write a % itself as %25.",
    );
  }
}

function ambiguous(): UserError {
  return unreadable(
    "an @ stands where none can be: the password may hold an @, / or ? as it is",
    "Write such characters of a password as %40, %2F and %3F.",
  );
}

function unreadable(what: string, remedy: string): UserError {
  return new UserError({
    title: "The database's URL cannot be read",
    cause: `The URL cannot be read as one of PostgreSQL: ${what}.`,
    remedy,
  });
}

/** Adds parameters to a connection string, over those that it has. */
export function withParameters(
  conninfo: string,
  parameters: Readonly<Record<string, string | undefined>>,
): string {
  const given = Object.entries(parameters).filter(
    (entry): entry is [string, string] => entry[1] !== undefined,
  );
  if (given.length === 0) return conninfo;
  if (SCHEME.test(conninfo)) {
    const pairs = given.map(([name, value]) => `${name}=${encodeURIComponent(value)}`);
    const glue = conninfo.includes("?") ? "&" : "?";
    return `${conninfo}${glue}${pairs.join("&")}`;
  }
  const words = given.map(
    ([name, value]) => `${name}='${value.replace(/[\\']/g, (sign) => `\\${sign}`)}'`,
  );
  return [conninfo, ...words].filter((word) => word !== "").join(" ");
}

/** Whether a connection string says something of a parameter itself. */
export function hasParameter(conninfo: string, name: string): boolean {
  return new RegExp(`(^|[?&\\s])${name}\\s*=`).test(conninfo);
}
