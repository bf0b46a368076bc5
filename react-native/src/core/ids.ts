/**
 * Ids of events, spans and views, made in JavaScript: an event then has its id before it crosses to the engine.
 *
 * The generator is xoshiro128** (Blackman and Vigna, 2018), seeded by the engine with 128 random bits. Its numbers are unique, not
 * secret.
 */
export class Ids {
  private readonly state = new Uint32Array(4);

  /** `seed`: 32 hexadecimal digits. Any other text is replaced by what the platform has of chance. */
  constructor(seed = '') {
    this.seed(seed);
  }

  /** Starts anew, with the seed of the engine. */
  seed(seed: string): void {
    const given = /^[0-9a-f]{32}$/.test(seed);
    for (let at = 0; at < 4; at++) {
      this.state[at] = given ? Number.parseInt(seed.slice(at * 8, at * 8 + 8), 16) : chance();
    }
    // The state of zeros only gives zeros.
    if (this.state.every((word) => word === 0)) this.state[0] = 1;
  }

  /** A UUID of version 7: 48 bits of the time, 74 of the generator. */
  event(nowMs: number): string {
    const time = Number.isFinite(nowMs) ? Math.min(Math.max(Math.trunc(nowMs), 0), 2 ** 48 - 1) : 0;
    const clock = time.toString(16).padStart(12, '0');
    const a = this.hex8();
    const b = this.hex8();
    const variant = ((Number.parseInt(b.charAt(0), 16) & 3) | 8).toString(16);
    return `${clock.slice(0, 8)}-${clock.slice(8)}-7${a.slice(0, 3)}-${variant}${b.slice(1, 4)}-${b.slice(4)}${this.hex8()}`;
  }

  /** 32 hexadecimal digits, not all zero. */
  trace(): string {
    return notZero(() => this.hex8() + this.hex8() + this.hex8() + this.hex8());
  }

  /** 16 hexadecimal digits, not all zero. */
  span(): string {
    return notZero(() => this.hex8() + this.hex8());
  }

  private hex8(): string {
    const word = this.next();
    return pair(word >>> 24) + pair(word >>> 16) + pair(word >>> 8) + pair(word);
  }

  private next(): number {
    const s = this.state;
    const [s0 = 0, s1 = 0, s2 = 0, s3 = 0] = s;
    const result = Math.imul(rotate(Math.imul(s1, 5), 7), 9) >>> 0;
    const t = s1 << 9;
    const n2 = s2 ^ s0;
    const n3 = s3 ^ s1;
    s[1] = s1 ^ n2;
    s[0] = s0 ^ n3;
    s[2] = n2 ^ t;
    s[3] = rotate(n3, 11);
    return result;
  }
}

/** The two digits of every byte: an id is made for every event, and formatting a number takes four times as long. */
const PAIRS = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'));

function pair(word: number): string {
  return PAIRS[word & 0xff] ?? '';
}

function rotate(word: number, by: number): number {
  return (word << by) | (word >>> (32 - by));
}

function notZero(make: () => string): string {
  let id = make();
  while (/^0*$/.test(id)) id = make();
  return id;
}

function chance(): number {
  const source = (globalThis as { crypto?: { getRandomValues?: (words: Uint32Array) => unknown } }).crypto;
  try {
    const words = new Uint32Array(1);
    source?.getRandomValues?.(words);
    if (words[0]) return words[0];
  } catch {
    // A polyfill that is not linked throws.
  }
  return Math.trunc(Math.random() * 2 ** 32);
}
