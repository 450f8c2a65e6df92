import type { Probe } from "../workload.ts";

/**
 * What a probe asks, in a few words: `GET :8080/healthz`, `TCP :5432`, `command pg_isready`.
 * Arguments of commands are left out: a password may be among them.
 */
export function describeProbe({ httpGet, tcpSocket, grpc, exec }: Probe): string | undefined {
  if (httpGet !== undefined)
    return `GET ${httpGet.host ?? ""}:${httpGet.port}${httpGet.path ?? "/"}`;
  if (tcpSocket !== undefined) return `TCP ${tcpSocket.host ?? ""}:${tcpSocket.port}`;
  if (grpc !== undefined) return `gRPC :${grpc.port}`;
  const [program] = exec?.command ?? [];
  return program === undefined ? undefined : `command ${program}`;
}
