import { describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import { parseConfig, secretsInConfig } from "../../../shared/job-config/index.ts";

function declared(kind: "Secret" | "ConfigMap", raw: string) {
  const parsed = parseConfig(kind, raw);
  if ("issues" in parsed) throw new Error(JSON.stringify(parsed.issues));
  return parsed.declarations;
}

function issuesOf(kind: "Secret" | "ConfigMap", raw: string): readonly string[] {
  const parsed = parseConfig(kind, raw);
  return "issues" in parsed
    ? parsed.issues.map(({ path, message }) => `${path.join(".")}: ${message}`)
    : [];
}

describe("declarations of Secrets and ConfigMaps", () => {
  it.each<[string, string, object]>([
    [
      "variables by their own names",
      "app:\n  from-env: [A, B_C]",
      {
        sources: [
          { from: "variable", key: "A", variable: "A" },
          { from: "variable", key: "B_C", variable: "B_C" },
        ],
      },
    ],
    [
      "variables by names of the keys",
      "app:\n  from-env: { url: DATABASE_URL }",
      { sources: [{ from: "variable", key: "url", variable: "DATABASE_URL" }] },
    ],
    [
      "lines of literals, letter for letter",
      "app:\n  literals: |\n    A=x: y # z\n    # a comment\n    B=\"q\"\\n'$HOME'=\n",
      {
        sources: [
          { from: "literal", key: "A", value: "x: y # z" },
          { from: "literal", key: "B", value: "\"q\"\\n'$HOME'=" },
        ],
      },
    ],
    [
      "a mapping of literals, whose scalars stay text",
      "app:\n  literals:\n    A: 0123\n    B: true\n    C: ~\n    D: '1e3'\n    E: 1.10",
      {
        sources: [
          { from: "literal", key: "A", value: "0123" },
          { from: "literal", key: "B", value: "true" },
          { from: "literal", key: "C", value: "~" },
          { from: "literal", key: "D", value: "1e3" },
          { from: "literal", key: "E", value: "1.10" },
        ],
      },
    ],
    [
      "files as kubectl takes them",
      "app:\n  files: [config/app.json, ca.crt=certs/ca.pem, a=b=c]\n  env-file: .env",
      {
        sources: [
          { from: "file", key: undefined, path: "config/app.json" },
          { from: "file", key: "ca.crt", path: "certs/ca.pem" },
          { from: "file", key: "a", path: "b=c" },
          { from: "env-file", path: ".env" },
        ],
      },
    ],
    [
      "a certificate with its key",
      "app:\n  type: tls\n  cert: tls.pem\n  key: tls.key",
      {
        type: "kubernetes.io/tls",
        sources: [
          { from: "file", key: "tls.crt", path: "tls.pem" },
          { from: "file", key: "tls.key", path: "tls.key" },
        ],
      },
    ],
    [
      "a registry's login",
      "app:\n  type: docker-registry\n  server: ghcr.io\n  username: me\n  password-env: TOKEN",
      {
        type: "kubernetes.io/dockerconfigjson",
        login: {
          server: "ghcr.io",
          username: { literal: "me" },
          password: { variable: "TOKEN" },
          email: undefined,
        },
      },
    ],
    [
      "what is around",
      "app:\n  from-env: A\n  allow-empty: [A]\n  immutable: true\n  labels: { grafana_dashboard: 1 }",
      { allowEmpty: ["A"], immutable: true, labels: { grafana_dashboard: "1" }, type: "Opaque" },
    ],
  ])("read %s", (_, raw, expected) => {
    expect(declared("Secret", raw)).toEqual([expect.objectContaining(expected)]);
  });

  it.each<[string, string, RegExp]>([
    ["no mapping", "- a", /it must be a mapping/],
    ["no content", "app: {}", /app: it holds nothing/],
    ["a misspelt key", "app: { from_env: [A] }", /unknown key; did you mean from-env\?/],
    [
      "a misspelt key of letters",
      "app: { form-env: [A] }",
      /no key form-env; did you mean from-env/,
    ],
    ["a bad name", "App_x: { from-env: [A] }", /a name is up to 253/],
    ["a bad key", "app: { from-env: { 'a b': A } }", /the key "a b" may hold letters/],
    [
      "a value for a variable's name",
      "app: { from-env: { a: 'postgres://x' } }",
      /not hold their values/,
    ],
    ["two documents", "app: { from-env: [A] }\n---\nb: {}", /several documents/],
    [
      "a key twice",
      "app: { from-env: [A] }\napp: { from-env: [B] }",
      /a key at line 2 is there twice/,
    ],
    ["an alias", "a: &x { from-env: [A] }\nb: *x", /an alias .* at line 2/],
    [
      "PEM for a path",
      "app: { type: tls, cert: '-----BEGIN CERTIFICATE-----', key: k }",
      /path of a file/,
    ],
    ["a login without its type", "app: { username: a, password-env: B }", /type: docker-registry/],
    ["a login without a password", "app: { type: docker-registry, username: a }", /needs username/],
    ["a comment after a literal", "app:\n  literals:\n    A: pass word # 1", /line 3 .*from-env/],
    ["an escape in a literal", 'app:\n  literals:\n    A: "p\\nq"', /from-env/],
    ["a doubled quote in a literal", "app:\n  literals:\n    A: 'p''q'", /from-env/],
    ["a quote that ends early", 'app:\n  literals:\n    A: "ab" #c"', /from-env/],
    ["an anchor in a literal", "app:\n  literals:\n    A: &p q", /from-env/],
    ["a literal over two lines", "app:\n  literals:\n    A: p\n      q", /from-env/],
    ["a value that is a comment to YAML", "app:\n  literals:\n    A: #hunter22", /from-env/],
    ["literals on one line", "app: { literals: { A: p } }", /from-env/],
  ])("refuse %s", (_, raw, expected) => {
    expect(issuesOf("Secret", raw).join("\n")).toMatch(expected);
  });

  it("of a ConfigMap may have comments, and know no types", () => {
    const raw = "app:\n  literals:\n    LEVEL: info # not debug";
    const [first] = declared("ConfigMap", raw);
    expect(first?.sources).toEqual([{ from: "literal", key: "LEVEL", value: "info" }]);
    expect(issuesOf("ConfigMap", "app: { type: tls }").join()).toMatch(/no key type/);
  });

  it("tell every problem at once", () => {
    const issues = issuesOf("Secret", "a: { x: 1 }\nb: {}\nC: { from-env: [A] }");
    expect(issues).toHaveLength(4);
  });
});

const KEY = fc.stringMatching(/^[A-Za-z_][A-Za-z0-9_]{0,10}$/);
/** A value of one line, as a template puts it into the YAML. */
const LINE = fc
  .string({ unit: "grapheme", minLength: 1, maxLength: 40 })
  .filter((text) => !/[\r\n\u2028\u2029\u0085]/.test(text));

describe("a secret put into the YAML by a template", () => {
  it("arrives as it is, or is refused, as a line of literals", () => {
    fc.assert(
      fc.property(KEY, LINE, (key, value) => {
        const parsed = parseConfig("Secret", `app:\n  literals: |\n    ${key}=${value}`);
        if ("issues" in parsed) return;
        expect(parsed.declarations[0]?.sources).toEqual([{ from: "literal", key, value }]);
      }),
    );
  });

  it("arrives as it is, or is refused, in a mapping", () => {
    const spellings = [(value: string) => value, (v: string) => `"${v}"`, (v: string) => `'${v}'`];
    fc.assert(
      fc.property(KEY, LINE, fc.constantFrom(...spellings), (key, value, spell) => {
        const raw = `app:\n  literals:\n    ${key}: ${spell(value.trim())}`;
        const parsed = parseConfig("Secret", raw);
        if ("issues" in parsed) return;
        const [source] = parsed.declarations[0]?.sources ?? [];
        // Quotes around a bare value are taken for YAML's own.
        const bare = value.trim();
        const stripped = /^(["']).*\1$/.test(bare) ? bare.slice(1, -1) : bare;
        expect([bare, stripped]).toContain(source?.from === "literal" ? source.value : undefined);
      }),
      { numRuns: 500 },
    );
  });

  it("is quoted by no message, whatever it breaks", () => {
    const secret = fc
      .string({ unit: "grapheme", minLength: 6, maxLength: 60 })
      .map((text) => `S3cr${text}t!`);
    const frames = [
      (value: string) => `app:\n  literals:\n    KEY: ${value}`,
      (value: string) => `app:\n  literals: |\n    KEY=${value}`,
      (value: string) => `app:\n  from-env: ${value}`,
      (value: string) => `app:\n  from-env: { KEY: ${value} }`,
      (value: string) => `app:\n  type: docker-registry\n  username: me\n  password: ${value}`,
    ];
    fc.assert(
      fc.property(secret, fc.constantFrom(...frames), (value, frame) => {
        const issues = issuesOf("Secret", frame(value));
        expect(issues.join("\n")).not.toContain(value.slice(0, 8));
      }),
      { numRuns: 500 },
    );
  });

  it("is among what is hidden, whether it can be read or not", () => {
    const value = "hunter22-hunter22";
    for (const raw of [
      `app:\n  literals:\n    KEY: ${value}`,
      `app:\n  literals: |\n    KEY=${value}`,
      `app:\n  literals:\n    KEY: ${value} # x: y`,
      `app:\n  literals:\n    KEY: '${value}\n`,
      `app:\n  literals: |\n    KEY=first\n${value}\nb: {`,
      `app:\n  type: docker-registry\n  username: me\n  password: ${value}`,
    ]) {
      expect(secretsInConfig(raw).join("\n")).toContain(value);
    }
  });

  it("that is nobody's secret is not hidden", () => {
    expect(secretsInConfig("app:\n  literals:\n    A: true\n    B: 80\n    C: s3cret")).toEqual([
      "s3cret",
    ]);
  });
});
