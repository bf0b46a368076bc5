/** JSON that keeps integers of 64 bits: those that a number cannot hold become a BigInt. Old browsers round them. */
function readJson(text) {
  return JSON.parse(text, (key, value, context) =>
    typeof value === 'number' && !Number.isSafeInteger(value) && /^-?\d+$/.test(context?.source ?? '')
      ? BigInt(context.source)
      : value,
  );
}

function writeJson(value, indent) {
  const exact = (key, member) => {
    if (typeof member !== 'bigint') return member;
    return JSON.rawJSON === undefined ? String(member) : JSON.rawJSON(String(member));
  };
  return JSON.stringify(value, exact, indent);
}
