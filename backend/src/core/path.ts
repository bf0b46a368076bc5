/** Paths of addresses. */

/** An address without its query. */
export function withoutQuery(url: string): string {
  const query = url.indexOf('?');
  return query < 0 ? url : url.slice(0, query);
}

/** An address without its query and without a slash at its end: as paths are compared. The root stays `/`. */
export function trimmedPath(url = ''): string {
  const path = withoutQuery(url);
  return path.length > 1 && path.endsWith('/') ? path.slice(0, -1) : path;
}
