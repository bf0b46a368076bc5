/**
 * Opens the checklists that are due today: `node .github/maintenance/checklists.mjs [--date YYYY-MM-DD] [--print]`
 *
 * It needs `gh` with a token that may write issues. One that is open with the same title is not opened again.
 */
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';

const TEMPLATES = path.resolve(import.meta.dirname, '../ISSUE_TEMPLATE');
const DAY = 24 * 60 * 60 * 1000;
const [SUNDAY, MONDAY] = [0, 1];

/** The checklists of a day, in UTC. */
export function due(now) {
  const weekday = now.getUTCDay();
  const names = ['daily'];
  if (weekday === MONDAY) names.push('weekly');
  // Seven days before the maintenance window, which is the first Sunday of a month: the notice is due.
  if (weekday === SUNDAY && new Date(now.getTime() + 7 * DAY).getUTCDate() <= 7) names.push('monthly');
  if (weekday === MONDAY && now.getUTCDate() <= 7 && now.getUTCMonth() % 3 === 0) names.push('quarterly');
  return names;
}

/** The title, the labels and the text of a template. */
export function read(name) {
  const file = path.join(TEMPLATES, `maintenance-${name}.md`);
  const parts = fs.readFileSync(file, 'utf8').match(/^---\n([\s\S]*?)\n---\n([\s\S]*)$/);
  const title = parts?.[1].match(/^title: "(.+)"$/m)?.[1];
  const labels = parts?.[1].match(/^labels: \[(.+)\]$/m)?.[1];
  if (!title || !labels) throw new Error(`${file}: the head between the two lines "---" needs a title and labels`);
  return { title, labels, body: parts[2].trim() };
}

const gh = (...args) => execFileSync('gh', args, { encoding: 'utf8' });

function main() {
  const { values } = parseArgs({ options: { date: { type: 'string' }, print: { type: 'boolean' } } });
  const now = values.date ? new Date(`${values.date}T00:00:00Z`) : new Date();
  if (Number.isNaN(now.getTime())) throw new Error(`--date ${values.date}: must be YYYY-MM-DD`);
  for (const name of due(now)) {
    const { title, labels, body } = read(name);
    const full = `${title}, ${now.toISOString().slice(0, 10)}`;
    if (values.print) {
      console.log(`${full}\n\n${body}\n`);
      continue;
    }
    const open = JSON.parse(
      gh('issue', 'list', '--label', labels, '--state', 'open', '--json', 'title', '--limit', '200'),
    );
    if (open.some((issue) => issue.title === full)) console.log(`${full}: is open already`);
    else console.log(gh('issue', 'create', '--title', full, '--label', labels, '--body', body).trim());
  }
}

if (process.argv[1] === import.meta.filename) {
  try {
    main();
  } catch (error) {
    console.error(`checklists.mjs: ${error.message}`);
    process.exitCode = 1;
  }
}
