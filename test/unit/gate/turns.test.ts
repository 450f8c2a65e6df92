import { expect, it } from "@jest/globals";
import fc from "fast-check";
import { Turns } from "../../../shared/gate/turns.ts";

it("no more works run at a time than may, all run, and in their order", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 1, max: 4 }),
      fc.array(fc.tuple(fc.integer({ min: 0, max: 4 }), fc.boolean()), { maxLength: 20 }),
      async (most, works) => {
        const turns = new Turns(most);
        const began: number[] = [];
        let running = 0;
        const results = await Promise.allSettled(
          works.map(([ticks, fails], index) =>
            turns.take(async () => {
              began.push(index);
              running += 1;
              expect(running).toBeLessThanOrEqual(most);
              for (let tick = 0; tick < ticks; tick += 1) await Promise.resolve();
              running -= 1;
              if (fails) throw new Error("fails");
            }),
          ),
        );
        expect(began).toEqual(works.map((_, index) => index));
        expect(results.map(({ status }) => status === "rejected")).toEqual(works.map(([, f]) => f));
      },
    ),
  );
});
