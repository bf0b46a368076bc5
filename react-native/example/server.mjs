/**
 * The shop's API on this machine, for the example app: `node server.mjs [port]`. Prints what arrives.
 *
 * The products and addresses are those of the shop of `rezq demo`. `POST /pay` takes `{"amount", "fault"}`: `none`, `slow`, `503`,
 * `timeout` or `declined`.
 */
import { randomBytes } from 'node:crypto';
import { createServer } from 'node:http';
import { pathToFileURL } from 'node:url';
import { crc32, deflateSync } from 'node:zlib';

const NAMES = ['Masala chai', 'Filter coffee', 'Jute bag', 'Clay cup', 'Notebook', 'Desk lamp', 'Kurta', 'Scarf'];
const COLORS = ['c8713a', '6f4e37', 'b59a6a', 'b5532f', '3f6e8c', 'd9a441', '7a3e65', '2f7d6d'];
const PRODUCTS = 24;
const SLOW_MS = 3_000;
const MOST_CHARACTERS = 65_536;

export function product(id) {
  return {
    id,
    name: `${NAMES[id % NAMES.length]} no. ${id}`,
    price: 49 + ((id * 37) % 950),
    image: `/images/${id}.png`,
  };
}

/** Returns `(request, response) => Promise`. `log` gets a line for each request. */
export function shop({ slowMs = SLOW_MS, log = () => {} } = {}) {
  const cart = new Map();
  const answers = {
    'GET /products': () => [200, Array.from({ length: PRODUCTS }, (_, at) => product(at + 1))],
    'POST /cart': ({ id, quantity }) => {
      if (!isProduct(id)) return NOT_FOUND;
      if (!(Number.isInteger(quantity) && quantity >= 1 && quantity <= 99))
        return [422, { message: 'the quantity must be 1 to 99' }];
      cart.set(id, (cart.get(id) ?? 0) + quantity);
      const total = [...cart].reduce((sum, [one, count]) => sum + product(one).price * count, 0);
      return [200, { items: cart.size, total }];
    },
    'POST /pay': ({ amount, fault }) => {
      if (fault === '503') return [503, { message: 'the bank does not respond' }];
      if (fault === 'declined') return [402, { message: 'card declined' }];
      cart.clear();
      return [200, { transaction_id: `t-${randomBytes(6).toString('hex')}`, amount, currency: 'INR' }];
    },
  };

  function answer(route, body) {
    const one = /^GET \/(?:products\/(\d+)|images\/(\d+)\.png)$/.exec(route);
    if (one === null) return answers[route]?.(body) ?? NOT_FOUND;
    const id = Number(one[1] ?? one[2]);
    if (!isProduct(id)) return NOT_FOUND;
    return one[1] === undefined ? [200, picture(id)] : [200, product(id)];
  }

  return async (request, response) => {
    const route = `${request.method} ${request.url.split('?')[0]}`;
    allowPages(request, response);
    if (request.method === 'OPTIONS') return response.writeHead(204).end();
    const body = await read(request);
    log(`${route} ${body === undefined ? 'unreadable' : JSON.stringify(body)} ${request.headers.traceparent ?? ''}`);
    if (body === undefined) return send(response, 400, { message: 'the body must be a JSON object' });
    // Never answered: the app gives up.
    if (route === 'POST /pay' && body.fault === 'timeout') return undefined;
    if (route === 'POST /pay' && body.fault === 'slow') await new Promise((resolve) => setTimeout(resolve, slowMs));
    return send(response, ...answer(route, body));
  };
}

const NOT_FOUND = [404, { message: 'no such product' }];
const isProduct = (id) => Number.isInteger(id) && id >= 1 && id <= PRODUCTS;

/** The web build comes from another port, and its requests carry trace headers. */
function allowPages(request, response) {
  response.setHeader('access-control-allow-origin', '*');
  response.setHeader('access-control-allow-headers', request.headers['access-control-request-headers'] ?? '*');
}

/** The JSON object of a body, an empty one without a body; undefined if it is none, or if the client has gone. */
async function read(request) {
  try {
    let text = '';
    for await (const part of request.setEncoding('utf8')) {
      // Read to its end: a client that is cut off in the middle sees no answer.
      if (text.length <= MOST_CHARACTERS) text += part;
    }
    if (text === '') return {};
    const body = text.length > MOST_CHARACTERS ? undefined : JSON.parse(text);
    return typeof body === 'object' && body !== null && !Array.isArray(body) ? body : undefined;
  } catch {
    return undefined;
  }
}

function send(response, status, body) {
  const isPicture = Buffer.isBuffer(body);
  const bytes = isPicture ? body : Buffer.from(JSON.stringify(body));
  const type = isPicture ? 'image/png' : 'application/json';
  response.writeHead(status, { 'content-type': type, 'content-length': bytes.length }).end(bytes);
}

/** A PNG of the product's colour with a disc, so that the repository needs no image files. */
function picture(id, width = 140, height = 100) {
  const [red, green, blue] = Buffer.from(COLORS[id % COLORS.length], 'hex');
  const rows = Buffer.alloc(height * (1 + width * 3));
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const inDisc = Math.hypot(x - width / 2, y - height / 2) < 20 + id;
      const light = (inDisc ? 1.35 : 1) - (0.3 * y) / height;
      for (const [at, part] of [red, green, blue].entries()) {
        rows[y * (1 + width * 3) + 1 + x * 3 + at] = Math.min(255, part * light);
      }
    }
  }
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  // 8 bits per channel, RGB.
  header.set([8, 2, 0, 0, 0], 8);
  const signature = Buffer.from('89504e470d0a1a0a', 'hex');
  return Buffer.concat([signature, chunk('IHDR', header), chunk('IDAT', deflateSync(rows)), chunk('IEND', '')]);
}

function chunk(name, data) {
  const named = Buffer.concat([Buffer.from(name), Buffer.from(data)]);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(named.length - 4);
  const sum = Buffer.alloc(4);
  sum.writeUInt32BE(crc32(named));
  return Buffer.concat([length, named, sum]);
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const port = Number(process.argv[2] ?? 4000);
  createServer(shop({ log: console.log })).listen(port, '127.0.0.1', () => console.log(`http://localhost:${port}`));
}
