import { afterAll, beforeAll, describe, expect, it, jest } from "@jest/globals";
import { manifest, Quay } from "./quay.ts";

jest.setTimeout(180_000);

let quay: Quay;
beforeAll(async () => {
  quay = await Quay.open("apply-stateful");
});
afterAll(async () => quay?.[Symbol.asyncDispose]());

function set(name: string, text: string, labels: object = { app: name }): string {
  return manifest({
    apiVersion: "apps/v1",
    kind: "StatefulSet",
    metadata: { name },
    spec: {
      replicas: 2,
      serviceName: name,
      selector: { matchLabels: { app: name } },
      template: {
        metadata: { labels },
        spec: {
          terminationGracePeriodSeconds: 0,
          containers: [
            {
              name: "main",
              image: quay.box.endpoints.busyboxImage,
              command: ["sh", "-c", `test ${text} = bad && exit 3; exec sleep 100000`],
            },
          ],
        },
      },
    },
  });
}

const job = (text: string) =>
  manifest({
    apiVersion: "batch/v1",
    kind: "Job",
    metadata: { name: "migrate" },
    spec: {
      backoffLimit: 0,
      template: {
        spec: {
          restartPolicy: "Never",
          containers: [
            {
              name: "main",
              image: quay.box.endpoints.busyboxImage,
              command: ["sh", "-c", `echo ${text}`],
            },
          ],
        },
      },
    },
  });

describe("a StatefulSet and a Job", () => {
  it("come back from a version that crashes: stuck pods are made anew, the Job is not run again", async () => {
    const name = "db";
    const first = await quay.apply({ name, content: set("db", "one") + job("one") });
    expect(first.outputs.verdict).toBe("passed");
    const content = set("db", "bad") + job("two");
    const failed = await quay.apply({ name, content, recreate: "Job", "restarts-allowed": "0" });
    expect(failed.outputs).toMatchObject({
      verdict: "failed",
      "rolled-back": "true",
      "running-revision": "1",
    });
    expect(failed.outputs.cause).toMatch(/statefulset\/db: .*exit code 3/);
    expect(failed.stdout).toMatch(
      /Went back to revision 1, which is healthy\. job\/migrate is left as it is: a Job that ran is not run again/,
    );
    const pods = await quay.kubectl(
      "get",
      "pods",
      "-l",
      "app=db",
      "-o",
      "jsonpath={.items[*].status.containerStatuses[*].ready}",
    );
    expect(pods).toBe("true true");
  });
});
