import type { Options } from "./inputs.ts";
import type { WrittenService } from "./service-input.ts";

/** The services of the input `services`, or the one of the input `name`. */
export function servicesInList(options: Options): readonly WrittenService[] {
  const { services, name, dockerfile, target } = options;
  const alike = { references: [], linked: false };
  if (services !== undefined) {
    return services.map((input, index) => {
      return { ...alike, prefix: `services.${index} (${input.name}): `, input };
    });
  }
  return name === undefined ? [] : [{ ...alike, prefix: "", input: { name, dockerfile, target } }];
}
