import { createServer, type IncomingMessage, request, type ServerResponse } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";

/**
 * A registry that misbehaves as the first part of an image's name says, and else passes on what a
 * real registry answers: `denied/`, `forbidden/`, `failing/`, `foreign/` (an image for another
 * processor only), `slow-8/` (answers after 8 s), `until-1760000000/` (fails until that second since
 * the Unix epoch). Runs on the node, where plain HTTP is accepted from its loopback address only.
 */

const { PORT = "", REGISTRY = "" } = process.env;
const [upstreamHost, upstreamPort = "80"] = REGISTRY.split(":");
const INDEX = "application/vnd.oci.image.index.v1+json";

const server = createServer((incoming, answer) => {
  serve(incoming, answer).catch(() => answer.destroy());
});

async function serve(incoming: IncomingMessage, answer: ServerResponse): Promise<void> {
  const { url = "" } = incoming;
  if (url === "/v2/" || url === "/v2") return void answer.end("{}");
  // Whoever asks gets a token: what it may do is another matter.
  if (url.startsWith("/token")) return send(answer, 200, { token: "anybody" });
  const [, conduct = "", path = ""] = /^\/v2\/([^/]+)\/(.*)$/.exec(url) ?? [];
  const number = Number(/-(\d+)$/.exec(conduct)?.[1]);
  if (conduct === "denied") {
    const realm = `Bearer realm="http://127.0.0.1:${PORT}/token",service="misbehaving"`;
    answer.setHeader("www-authenticate", `${realm},error="insufficient_scope"`);
    return refuse(answer, 401, "UNAUTHORIZED", "authentication required");
  }
  if (conduct === "forbidden") return refuse(answer, 403, "DENIED", "not for you");
  if (conduct === "failing") return refuse(answer, 503, "UNAVAILABLE", "the storage is away");
  if (conduct.startsWith("until-") && Date.now() < number * 1_000)
    return refuse(answer, 503, "UNAVAILABLE", "the storage is away");
  if (conduct.startsWith("slow-") && path.includes("/manifests/")) await sleep(number * 1_000);
  if (conduct === "foreign" && path.includes("/manifests/")) return foreign(answer);
  pass(incoming, answer, `/v2/${path}`);
}

function refuse(answer: ServerResponse, status: number, code: string, message: string): void {
  send(answer, status, { errors: [{ code, message }] });
}

function send(answer: ServerResponse, status: number, body: object): void {
  answer.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
}

/** An image for a processor that no node of ours has. */
function foreign(answer: ServerResponse): void {
  const manifests = [
    {
      mediaType: "application/vnd.oci.image.manifest.v1+json",
      digest: `sha256:${"0".repeat(64)}`,
      size: 1,
      platform: { architecture: "s390x", os: "linux" },
    },
  ];
  const index = JSON.stringify({ schemaVersion: 2, mediaType: INDEX, manifests });
  answer.writeHead(200, { "content-type": INDEX, "content-length": index.length }).end(index);
}

function pass(incoming: IncomingMessage, answer: ServerResponse, path: string): void {
  const { method, headers } = incoming;
  const { authorization: _, ...rest } = headers;
  const options = { host: upstreamHost, port: upstreamPort, method, path, headers: rest };
  const sent = request(options, (received) => {
    answer.writeHead(received.statusCode ?? 502, received.headers);
    received.pipe(answer);
  });
  sent.on("error", () => answer.destroy());
  incoming.pipe(sent);
}

server.listen(Number(PORT), "0.0.0.0");
