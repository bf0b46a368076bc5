/** JSON as a document of MongoDB. */

const FORBIDDEN = /[.\0]|^\$/;

/**
 * The same value, with names of members that a document cannot have or a query cannot reach written with the full-width characters
 * that MongoDB's manual suggests: `http.status` as `http．status`, `$set` as `＄set`. Copies only what it changes.
 */
export function storable<T>(value: T): T {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) {
    const copy = value.map(storable);
    return (copy.some((one, at) => one !== value[at]) ? copy : value) as T;
  }
  let copy: [string, unknown][] | undefined;
  let at = 0;
  for (const [name, member] of Object.entries(value)) {
    const safeName = FORBIDDEN.test(name) ? safe(name) : name;
    const safeMember = storable(member);
    if (copy === undefined && (safeName !== name || safeMember !== member)) copy = Object.entries(value).slice(0, at);
    copy?.push([safeName, safeMember]);
    at += 1;
  }
  return (copy === undefined ? value : Object.fromEntries(copy)) as T;
}

function safe(name: string): string {
  const escaped = name.replaceAll('.', '\uff0e').replaceAll('\0', '\ufffd');
  return escaped.startsWith('$') ? `\uff04${escaped.slice(1)}` : escaped;
}
