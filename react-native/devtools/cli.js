/**
 * What the menu of `expo start` runs: `node cli.js <command> '<JSON arguments>' <origin of the server>`. It prints one JSON list of
 * `{type, text, level}`.
 */
'use strict';

const { commands } = require('./commands');
const { connect } = require('./connection');

/** Texts of events are in the lines. A terminal would obey control characters and changes of direction. */
const HARMFUL = /[\p{Cc}\u202a-\u202e\u2066-\u2069]/gu;
const text = (line, level) => ({ type: 'text', text: String(line).replace(HARMFUL, '\ufffd'), level });

async function run(command, given, origin) {
  if (!Object.hasOwn(commands, command))
    throw new Error(`${command} is no command: ${Object.keys(commands).join(', ')}`);
  const connection = await connect(origin);
  try {
    return await commands[command](connection.ask, JSON.parse(given ?? '{}') ?? {});
  } finally {
    connection.close();
  }
}

const [command, given, origin = 'http://127.0.0.1:8081'] = process.argv.slice(2);
run(command, given === 'undefined' ? '{}' : given, origin).then(
  (lines) => console.log(JSON.stringify(lines.map((line) => text(line, 'info')))),
  (error) => {
    console.log(JSON.stringify([text(error.message, 'error')]));
  },
);
