import { expect, it } from "@jest/globals";
import {
  secretsInBuildArgs,
  secretsInSecrets,
  secretsInServices,
} from "../../../actions/build-push/misplaced-secrets.ts";
import { secretLooking } from "../../../shared/secrets/index.ts";

const known = (value: string) => value === "known-secret";

it.each([
  ["NPM_TOKEN", "x"],
  ["token", "x"],
  ["DB_PASSWORD", "x"],
  ["AWS_SECRET_ACCESS_KEY", "x"],
  ["STRIPE_API_KEY", "x"],
  ["HARMLESS", "known-secret"],
  ["URL", "https://me:hunter2@example.org/x"],
  ["A", `ghp_${"a".repeat(36)}`],
  ["A", `github_pat_${"a".repeat(40)}`],
  ["A", "AKIAABCDEFGHIJKLMNOP"],
  ["A", "-----BEGIN RSA PRIVATE KEY-----"],
  ["A", "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.x"],
])("%s=%s looks like a secret", (name, value) => {
  expect(secretLooking(name, value, known)).toEqual(expect.any(String));
});

it.each([
  ["VERSION", "1.2.3"],
  ["BASE_IMAGE", "node:24@sha256:ab"],
  ["TOKEN_URL", "https://example.org/token"],
  ["PASSWORD_MIN_LENGTH", "8"],
  ["NPM_TOKEN", ""],
  ["PUBLIC_KEY", "abc"],
  ["MONKEY", "banana"],
  ["URL", "https://example.org:8080/a@b"],
])("%s=%s does not", (name, value) => {
  expect(secretLooking(name, value, known)).toBeUndefined();
});

it.each<[(raw: string) => readonly string[], string, string[]]>([
  [secretsInBuildArgs, "VERSION=1\nNPM_TOKEN = a=b\nnothing", ["a=b"]],
  [
    secretsInSecrets,
    "npm: NPM_TOKEN\nkey: {file: k.pem}\noops: 'p@ss word'\npin: 1234",
    ["p@ss word", "1234"],
  ],
  [secretsInSecrets, "::: [", []],
  // As docker/build-push-action takes them.
  [secretsInSecrets, "npm=sesame", ["sesame"]],
  [secretsInSecrets, "npm=open sesame\nkey=a=b", ["open sesame", "a=b"]],
  [secretsInSecrets, "npm=sesame: [", ["sesame: ["]],
  [secretsInSecrets, "sesame", ["sesame"]],
  [secretsInServices, "[{name: a, secrets: ['npm=sesame', 'b=c']}]", ["sesame", "c"]],
  [
    secretsInServices,
    "[{name: a, build-args: {V: '1', DB_PASSWORD: hunter2}, secrets: {x: X, y: 'not-a-name'}}, null, 3]",
    ["hunter2", "not-a-name"],
  ],
  [secretsInServices, "name: a", []],
])("%p finds in %j what must not be shown", (find, raw, expected) => {
  expect(find(raw)).toEqual(expected);
});
