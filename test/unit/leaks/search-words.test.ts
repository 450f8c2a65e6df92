import { generateKeyPairSync } from "node:crypto";
import { describe, expect, it } from "@jest/globals";
import { needlesOf } from "../../../shared/leaks/needles.ts";
import { searchWordsOf } from "../../../shared/leaks/search-words.ts";

const found = (value: string, text: string | Buffer) => {
  const data = Buffer.from(text as string);
  return needlesOf([{ name: "it", value }]).needles.some(({ bytes }) => data.includes(bytes));
};

describe("what is searched for", () => {
  it.each([
    ["", /empty/],
    ["  \n", /empty/],
    ["short", /fewer than 8/],
    ["abc12", /fewer than 6/],
    ["postgres", /stands in many files/],
    ["ChangeMe", /stands in many files/],
    ["aaaaaaaaaaaa", /different characters/],
  ])("is not %j", (value, why) => {
    expect(searchWordsOf(value)).toEqual({ why: expect.stringMatching(why) });
  });

  it.each(["hunter2", "s3cr3t", "correct horse", "npm_abcdefgh"])("is %j", (value) => {
    expect(searchWordsOf(value)).toEqual({ texts: [value] });
  });

  it("is the password within an address", () => {
    const address = "postgres://app:p4ssw0rd-x@db.internal/app";
    expect(found(address, "password=p4ssw0rd-x")).toBe(true);
    expect(found(address, "host=db.internal")).toBe(false);
  });

  it("is each line of a private key, and none of its public parts", () => {
    const { privateKey, publicKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
    const key = privateKey.export({ type: "pkcs8", format: "pem" }).toString();
    const lines = key.split("\n");
    expect(found(key, `KEY="${lines[5]}"`)).toBe(true);
    expect(found(key, key.replaceAll("\n", "\\n"))).toBe(true);
    expect(found(key, "-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBgkqhkiG9w0B")).toBe(false);
    const spki = publicKey.export({ type: "spki", format: "pem" }).toString();
    expect(found(`${key}${spki}`, spki)).toBe(false);
    const certificate = spki.replaceAll("PUBLIC KEY", "CERTIFICATE");
    expect(found(`${certificate}${key}`, certificate)).toBe(false);
  });

  it("is not the first line of an OpenSSH key, which all of a kind share", () => {
    const first = "b3BlbnNzaC1rZXktdjEAAAAABG5vbmUAAAAEbm9uZQAAAAAAAAABAAABlwAAAAdzc2gtcn";
    const key = `-----BEGIN OPENSSH PRIVATE KEY-----\n${first}\nNhAAAAAwEAAQAAAYEAw0x9CtC7d8u2J0e7dWqz6o9s1lYk3c4v5b6n7m8Q9W0E\n-----END OPENSSH PRIVATE KEY-----\n`;
    expect(found(key, first)).toBe(false);
    expect(found(key, "x NhAAAAAwEAAQAAAYEAw0x9CtC7d8u2J0e7dWqz6o9s1lYk3c4v5b6n7m8Q9W0E")).toBe(
      true,
    );
  });

  it("is what is secret in a file of settings", () => {
    const npmrc =
      "registry=https://npm.example.com/\n//npm.example.com/:_authToken=aB3dE5gH7jK9mN1pQ3sT\n";
    expect(found(npmrc, "TOKEN=aB3dE5gH7jK9mN1pQ3sT")).toBe(true);
    expect(found(npmrc, "registry=https://npm.example.com/")).toBe(false);
    const account = JSON.stringify(
      {
        type: "service_account",
        private_key_id: "0f1e2d3c4b5a69788796a5b4c3d2e1f00f1e2d3c",
        auth_uri: "https://accounts.google.com/o/oauth2/auth",
        client_x509_cert_url: "https://www.googleapis.com/robot/v1/metadata/x509/a%40b",
      },
      null,
      2,
    );
    expect(found(account, "id: 0f1e2d3c4b5a69788796a5b4c3d2e1f00f1e2d3c")).toBe(true);
    expect(found(account, '"auth_uri": "https://accounts.google.com/o/oauth2/auth"')).toBe(false);
    expect(found(account, '"type": "service_account"')).toBe(false);
  });

  it("is the middle of what is very long", () => {
    const value = `same for all ${"x1y2".repeat(10)}${Array.from({ length: 900 }, (_, at) => `${at * 7919}.`).join("")}`;
    expect(found(value, `before ${value} after`)).toBe(true);
    expect(found(value, value.slice(0, 900))).toBe(false);
  });
});

describe("a spelling", () => {
  const value = `p@ss w"rd/<&>'+ü9\\`;

  it.each([
    ["plain", value],
    ["JSON", JSON.stringify({ value })],
    [
      "Go's JSON",
      JSON.stringify({ value }).replace(/[<>&]/g, (s) => `\\u00${s.charCodeAt(0).toString(16)}`),
    ],
    ["a URL", encodeURIComponent(value)],
    ["a URL in small letters", encodeURIComponent(value).toLowerCase()],
    ["a form", new URLSearchParams({ value }).toString()],
    ["hexadecimal", Buffer.from(value).toString("hex")],
    ["capital hexadecimal", Buffer.from(value).toString("hex").toUpperCase()],
    ["UTF-16", Buffer.from(`x${value}`, "utf16le")],
    ["base64", Buffer.from(value).toString("base64")],
    ["base64url", Buffer.from(value).toString("base64url")],
    ["base64 after one byte", Buffer.from(`a${value}b`).toString("base64")],
    ["base64 after two bytes", Buffer.from(`ab${value}bc`).toString("base64")],
    ["base64 of a pair", Buffer.from(`user:${value}`).toString("base64")],
  ])("in %s is found", (_, text) => {
    expect(found(value, text)).toBe(true);
  });

  it("in base64 that is broken into lines is found", () => {
    const token = "ghs_aB3dE5gH7jK9mN1pQ3sTuV5wX7yZ9aB1cD3e";
    for (let before = 0; before < 80; before += 1) {
      const text = Buffer.from(`${"x".repeat(before)}${token}`).toString("base64");
      expect(found(token, text.replace(/.{76}/g, "$&\n"))).toBe(true);
    }
  });
});
