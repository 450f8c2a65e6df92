import { UserError } from "../failure/index.ts";
import type { Product } from "./settings.ts";

/** A server as it names itself. */
export interface Server {
  readonly product: Product;
  readonly title: string;
  readonly version: string;
  readonly clusterName: string;
  readonly clusterUuid: string;
}

const TITLES: Readonly<Record<Product, string>> = {
  opensearch: "OpenSearch",
  elasticsearch: "Elasticsearch",
};

/** The majors whose interface this was written for. */
const MAJORS: Readonly<Record<Product, readonly [number, number]>> = {
  opensearch: [1, 3],
  elasticsearch: [7, 9],
};

interface Banner {
  readonly cluster_name?: unknown;
  readonly cluster_uuid?: unknown;
  readonly version?: { readonly number?: unknown; readonly distribution?: unknown };
}

/**
 * What the first answer of a server says.
 *
 * @throws {UserError} where it is another product, or a version that nobody tried.
 */
export function productIn(answer: unknown, wanted: Product, address: string): Server {
  const {
    version,
    cluster_name: clusterName,
    cluster_uuid: clusterUuid,
  } = (answer ?? {}) as Banner;
  const number = version?.number;
  if (typeof number !== "string") {
    throw new UserError({
      title: `${address} is no ${TITLES[wanted]}`,
      cause: "It answers, and names no version.",
      remedy: `Give the address of the ${TITLES[wanted]} cluster itself.`,
    });
  }
  const product: Product = version?.distribution === "opensearch" ? "opensearch" : "elasticsearch";
  // OpenSearch can be told to pass for Elasticsearch 7.10.2; nothing here needs to know better.
  if (product !== wanted && !(wanted === "opensearch" && number === "7.10.2")) {
    throw new UserError({
      title: `${address} is no ${TITLES[wanted]}`,
      cause: `It is ${TITLES[product]} ${number}.`,
      remedy: `Give the kind ${product}, or another address.`,
    });
  }
  checkMajor(wanted, product, number, address);
  const text = (value: unknown) => (typeof value === "string" ? value : "");
  return {
    ...{ product: wanted, title: TITLES[wanted], version: number },
    clusterName: text(clusterName),
    clusterUuid: text(clusterUuid),
  };
}

function checkMajor(wanted: Product, said: Product, version: string, address: string): void {
  const [first, last] = MAJORS[said];
  const major = Number.parseInt(version, 10);
  if (major >= first && major <= last) return;
  throw new UserError({
    title: `${TITLES[wanted]} ${version} is not supported`,
    cause: `${address} runs ${version}; the majors ${first} to ${last} are supported.`,
    remedy: "Use a cluster of one of these majors.",
  });
}
