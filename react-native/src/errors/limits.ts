/**
 * Limits of an error, and how texts are cut to them.
 *
 * The engine refuses an item of more than 32,736 bytes as a whole, so an error has to be small enough before it is handed over. Sizes
 * are bytes of JSON in UTF-8.
 */

export const limits = {
  /** Everything that is read from the thrown value. The caller's options take what the item has left. */
  item: 20 * 1024,
  /** Frames of the error: the innermost are kept. The number is the engine's. */
  frames: 50,
  framesBytes: 8 * 1024,
  /** Frames of a cause. The number is the engine's. */
  causeFrames: 30,
  /** Causes. The number is the engine's. */
  causes: 10,
  message: 8_192,
  causeMessage: 2_048,
  /** A stack that cannot be parsed. */
  stack: 8_192,
  /** A stack of components that cannot be parsed. */
  components: 2_048,
  /** Type, code, source. */
  name: 200,
  /** Function and file of a frame. */
  place: 400,
  /** Names of the members of an object that was thrown. */
  keys: 20,
} as const;

const ELLIPSIS = '…';

/**
 * The beginning of a text: at most `limit` bytes, one more character and an ellipsis. What is cut is thus longer than the limit of
 * the engine, which cuts it again and counts it.
 */
export function cutText(text: string, limit: number): string {
  // No character takes more than six bytes.
  if (text.length * 6 <= limit) return text;
  let bytes = 0;
  for (let at = 0; at < text.length; at++) {
    const isPair = isHigh(text.charCodeAt(at)) && isLow(text.charCodeAt(at + 1));
    bytes += isPair ? 4 : jsonBytes(text.charCodeAt(at));
    if (isPair) at++;
    if (bytes > limit) return at + 1 < text.length ? text.slice(0, at + 1) + ELLIPSIS : text;
  }
  return text;
}

/** The size of a value of plain objects, texts and numbers. */
export function encodedBytes(value: object): number {
  const json = JSON.stringify(value);
  let bytes = 0;
  for (let at = 0; at < json.length; at++) {
    const unit = json.charCodeAt(at);
    bytes += unit < 0x80 ? 1 : unit < 0x800 ? 2 : 3;
  }
  return bytes;
}

function jsonBytes(unit: number): number {
  if (unit === 0x22 || unit === 0x5c) return 2;
  // A control character and half a surrogate pair are written as six characters.
  if (unit < 0x20 || isHigh(unit) || isLow(unit)) return 6;
  return unit < 0x80 ? 1 : unit < 0x800 ? 2 : 3;
}

function isHigh(unit: number): boolean {
  return unit >= 0xd800 && unit <= 0xdbff;
}

function isLow(unit: number): boolean {
  return unit >= 0xdc00 && unit <= 0xdfff;
}
