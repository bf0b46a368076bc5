/** Frames that only the test draws. */

/** Puts them in the place of the platform's. The result draws the two frames of `afterFrame`; `between` runs before each. */
export function manualFrames(): (between?: () => void) => void {
  let frames: (() => void)[] = [];
  const scope = globalThis as unknown as { requestAnimationFrame: unknown; cancelAnimationFrame: unknown };
  scope.requestAnimationFrame = (run: () => void) => frames.push(run);
  scope.cancelAnimationFrame = (id: number) => {
    frames[id - 1] = () => undefined;
  };
  return (between = () => undefined) => {
    for (let frame = 0; frame < 2; frame++) {
      between();
      const due = frames;
      frames = [];
      for (const run of due) run();
    }
  };
}
