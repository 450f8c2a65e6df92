import { type Part, structure } from "../../shared/action/index.ts";

/** One machine of a builder, as the input `builder-nodes` has it. */
export interface NodeInput {
  readonly endpoint: string | undefined;
  readonly platforms: readonly string[];
  readonly options: Readonly<Record<string, string>>;
}

const MOST_NODES = 50;

/** The input `builder-nodes`: a list of machines, each with what is different there. */
export const nodesSchema = structure((list) =>
  list.items("node", MOST_NODES).map((item): NodeInput => {
    const {
      endpoint,
      platforms,
      "driver-opts": options,
    } = item.keys(["endpoint", "platforms", "driver-opts"]);
    return {
      endpoint: endpoint?.text(),
      platforms: (platforms?.oneOrMore() ?? []).flatMap((each) => wordsOf(each.text() ?? "")),
      options: options === undefined ? {} : readOptions(options),
    };
  }),
);

function readOptions(part: Part): Readonly<Record<string, string>> {
  const entries = part.entries().map(([name, value]) => [name, value.scalar() ?? ""] as const);
  return Object.fromEntries(entries);
}

function wordsOf(text: string): string[] {
  return text.split(/[\s,]+/).filter((word) => word !== "");
}
