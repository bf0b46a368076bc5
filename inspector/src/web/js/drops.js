/** What was not delivered, by day and reason. */
function createDrops(ask) {
  const box = byId('view-drops');
  const newest = newestOnly();

  async function refresh() {
    const answer = await newest(ask({ ask: 'drops' }));
    if (answer === null) return;
    const head = el('h2', null, 'Drops');
    if (answer.error) return fill(box, head, el('p', { class: 'problem', role: 'alert' }, answer.error));
    const days = new Map();
    for (const drop of answer.drops) days.set(drop.day, [...(days.get(drop.day) ?? []), drop]);
    const refused = Object.entries(answer.refused ?? {}).filter(([, n]) => n > 0);
    const isEmpty = days.size === 0 && refused.length === 0;
    fill(
      box,
      head,
      isEmpty ? el('p', { class: 'empty' }, 'Nothing was dropped.') : '',
      refused.length > 0
        ? table(
            'Refused at the call',
            ['reason', 'events'],
            refused.map(([reason, n]) => [words(reason), n]),
          )
        : '',
      ...[...days]
        .sort(([a], [b]) => (a < b ? 1 : -1))
        .map(([day, drops]) =>
          table(
            day,
            ['reason', 'events', 'kind', 'destination', 'what it means'],
            drops.map((drop) => [
              words(drop.reason),
              drop.n,
              kindChip(drop.kind),
              drop.route ?? 'before any destination',
              drop.text,
            ]),
          ),
        ),
    );
  }

  return { refresh };
}
