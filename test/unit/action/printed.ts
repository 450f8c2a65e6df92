import { jest } from "@jest/globals";

/** What an action prints while something is done. */
export function printedBy(act: () => void): string {
  const chunks: string[] = [];
  const spy = jest.spyOn(process.stdout, "write").mockImplementation((chunk) => {
    chunks.push(String(chunk));
    return true;
  });
  try {
    act();
  } finally {
    spy.mockRestore();
  }
  return chunks.join("");
}
