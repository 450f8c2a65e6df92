/** Works of some width on a road of so many lanes. */
export type Road = <T>(work: () => Promise<T>, width?: number) => Promise<T>;

/**
 * Lets works run side by side as far as the lanes suffice, in the order of asking. A work as wide
 * as the road runs alone.
 */
export function lanes(most: number): Road {
  const waiting: { readonly width: number; readonly go: () => void }[] = [];
  let free = most;
  const admit = () => {
    for (;;) {
      const [next] = waiting;
      if (next === undefined || next.width > free) return;
      waiting.shift();
      free -= next.width;
      next.go();
    }
  };
  return async (work, width = 1) => {
    const taken = Math.min(width, most);
    await new Promise<void>((go) => {
      waiting.push({ width: taken, go });
      admit();
    });
    try {
      return await work();
    } finally {
      free += taken;
      admit();
    }
  };
}
