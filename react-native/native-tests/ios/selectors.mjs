/** The methods that a text of Objective-C declares or defines: return type, selector and types of the parameters. */
export function methods(text) {
  const found = [];
  for (const [, answer, rest] of text.matchAll(/^- \(([^)]*)\)([^;{]*)[;{]/gm)) {
    const parts = [...rest.matchAll(/(\w+):\s*\(((?:[^()]|\([^()]*\))*(?:\([^()]*\))?[^()]*)\)\s*(\w+)/g)];
    const selector = parts.length > 0 ? parts.map(([, label]) => `${label}:`).join('') : rest.trim();
    found.push({ answer, selector, types: parts.map(([, , type]) => type.trim()) });
  }
  return found;
}
