import { beforeAll, it } from "@jest/globals";

/**
 * Tests that wait more than they work, run at the same time: each begins when the hooks before are
 * done, and none waits for another.
 */
export function together(
  tests: Readonly<Record<string, () => Promise<void>>>,
  timeout: number,
): void {
  const running = new Map<string, Promise<unknown>>();
  beforeAll(() => {
    for (const [name, test] of Object.entries(tests)) {
      const result = test().then(
        () => undefined,
        (error: unknown) => ({ error }),
      );
      running.set(name, result);
    }
  });
  for (const name of Object.keys(tests)) {
    it(
      name,
      async () => {
        const failed = (await running.get(name)) as { error: unknown } | undefined;
        if (failed !== undefined) throw failed.error;
      },
      timeout,
    );
  }
}
