/** A pause becomes a break if nothing happens for this long, and for this share of the busy time. */
const PAUSE_MS = 8000;
const PAUSE_SHARE = 0.15;
/** The width of a break, as a share of the busy time. */
const BREAK_SHARE = 0.03;

/**
 * Maps times to 0..1. `spans` are `[start, end]` in milliseconds. A long pause between them is drawn as a short break, so
 * that what happened has the room.
 */
function timeScale(spans) {
  const busy = merged(spans);
  const sum = (parts) => parts.reduce((total, [start, end]) => total + end - start, 0);
  const pauses = busy.slice(1).map(([start], at) => [busy[at][1], start]);
  const all = busy.length > 0 ? busy.at(-1)[1] - busy[0][0] : 0;
  const isLong = ([start, end]) => end - start > Math.max(PAUSE_MS, PAUSE_SHARE * sum(busy));
  const long = pauses.filter(isLong);
  const shown = Math.max(all - sum(long), 1);
  const width = BREAK_SHARE * shown;
  const total = shown + width * long.length;
  const first = busy[0]?.[0] ?? 0;

  const at = (ms) => {
    let x = ms - first;
    for (const [start, end] of long) {
      if (ms <= start) break;
      const inside = Math.min(ms, end) - start;
      x += (inside / (end - start)) * width - inside;
    }
    return Math.min(Math.max(x / total, 0), 1);
  };

  return {
    at,
    total,
    breaks: long.map(([start, end]) => ({ x: at(start), width: width / total, ms: end - start })),
    ticks: (most) => ticks(first, first + all, long, at, total, most),
  };
}

function merged(spans) {
  const parts = [];
  for (const [start, end] of [...spans].sort((a, b) => a[0] - b[0])) {
    const last = parts.at(-1);
    if (last && start <= last[1]) last[1] = Math.max(last[1], end);
    else parts.push([start, end]);
  }
  return parts;
}

const STEPS = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1e3, 2e3, 5e3, 1e4, 3e4, 6e4, 3e5, 6e5, 18e5, 36e5, 216e5, 864e5];

function ticks(first, last, breaks, at, total, most) {
  const step = STEPS.find((candidate) => total / candidate <= most) ?? STEPS.at(-1);
  const found = [];
  let ms = Math.ceil(first / step) * step;
  while (ms <= last && found.length <= most * 2) {
    const pause = breaks.find(([start, end]) => ms > start && ms < end);
    if (pause) ms = Math.ceil(pause[1] / step) * step;
    else {
      found.push({ ms, x: at(ms), step });
      ms += step;
    }
  }
  return found;
}
