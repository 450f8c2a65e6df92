import type { AvailabilityReport, ServiceAvailability } from "./report.ts";

const MOST = 3;

/** What users felt, in one sentence. */
export function sentence({ hurt, affectedSeconds, services, notes }: AvailabilityReport): string {
  if (hurt === "unknown")
    return `Whether users were hurt is not known: ${notes.map((note) => note.replace(/\.$/, "")).join("; ")}.`;
  if (hurt === "no") {
    const counts = services.slice(0, MOST).map(lowest);
    return `Users were not hurt: ${counts.join(", ")}${services.length > MOST ? ", ..." : ""}.`;
  }
  const struck = services.filter((one) => one.hurt);
  const words = struck.slice(0, MOST).map(({ service, lowest: fewest, required, why }) => {
    return `${service} had ${fewest} of ${required} needed ready endpoints (${why})`;
  });
  const more = struck.length > MOST ? `, and ${struck.length - MOST} more` : "";
  return `Users were hurt for ${affectedSeconds} s: ${words.join(", ")}${more}.`;
}

function lowest({ service, before, lowest: fewest, required }: ServiceAvailability): string {
  if (before === 0) return `${service} had no ready endpoint before`;
  return `${service} never had fewer than ${fewest} ready endpoints (${required} needed)`;
}
