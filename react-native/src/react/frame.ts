/** The moment at which what was rendered is visible. */

/** Calls `run` after the next frame was drawn: the first callback runs before it, the second one behind it. Returns how to cancel. */
export function afterFrame(run: () => void): () => void {
  const scope = globalThis as {
    requestAnimationFrame?: (run: () => void) => number;
    cancelAnimationFrame?: (id: number) => void;
  };
  if (!scope.requestAnimationFrame) {
    const timer = setTimeout(run, 0);
    return () => clearTimeout(timer);
  }
  let id = scope.requestAnimationFrame(() => {
    id = scope.requestAnimationFrame?.(run) ?? 0;
  });
  return () => scope.cancelAnimationFrame?.(id);
}
