/** Servers that stand for Slack, PagerDuty, a mail server and the API. */
import http from 'node:http';
import net from 'node:net';

const listen = async (server, port = 0) => {
  await new Promise((resolve, reject) => server.once('error', reject).listen(port, '127.0.0.1', resolve));
  return server.address().port;
};

const close = async (server) => {
  server.closeAllConnections?.();
  await new Promise((resolve) => server.close(resolve));
};

/** Keeps the JSON bodies that are posted to it. */
export async function receiver(status) {
  const bodies = [];
  const server = http.createServer((request, response) => {
    let text = '';
    request.setEncoding('utf8').on('data', (chunk) => {
      text += chunk;
    });
    request.on('end', () => {
      bodies.push(JSON.parse(text));
      response.writeHead(status, { 'content-type': 'application/json' }).end('{"status":"success","ok":true}');
    });
  });
  const port = await listen(server);
  return { url: `http://127.0.0.1:${port}/`, bodies, stop: () => close(server) };
}

/** Keeps the mails that are sent to it, as the text of the SMTP dialogue. */
export async function mailServer() {
  const mails = [];
  const server = net.createServer((socket) => {
    let inData = false;
    let mail = { to: [], text: '' };
    let rest = '';
    socket.on('error', () => socket.destroy());
    socket.setEncoding('utf8').on('data', (chunk) => {
      const lines = (rest + chunk).split('\r\n');
      rest = lines.pop();
      for (const line of lines) {
        if (inData && line === '.') {
          inData = false;
          mails.push(mail);
          mail = { to: [], text: '' };
          socket.write('250 kept\r\n');
        } else if (inData) mail.text += `${line}\n`;
        else if (line.startsWith('DATA')) {
          inData = true;
          socket.write('354 go on\r\n');
        } else if (line.startsWith('QUIT')) socket.end('221 bye\r\n');
        else {
          if (line.startsWith('RCPT TO:')) mail.to.push(line.slice('RCPT TO:'.length).replace(/[<>]/g, ''));
          socket.write('250 yes\r\n');
        }
      }
    });
    socket.write('220 ready\r\n');
  });
  const port = await listen(server);
  return { address: `127.0.0.1:${port}`, mails, stop: () => close(server) };
}

/** The API as the monitoring sees it: /metrics and /api/health. `stop()` and `start()` keep its port. */
export async function api() {
  let requests = 0;
  const make = () =>
    http.createServer((request, response) => {
      requests += 1;
      if (request.url === '/metrics') {
        response.writeHead(200, { 'content-type': 'text/plain; version=0.0.4; charset=utf-8' });
        response.end(
          `# HELP http_requests_total Requests.\n# TYPE http_requests_total counter\nhttp_requests_total{method="GET",route="/orders",status="200"} ${requests}\n`,
        );
      } else response.writeHead(request.url === '/api/health' ? 200 : 404).end('{}');
    });
  let server = make();
  const port = await listen(server);
  return {
    port,
    async start() {
      server = make();
      await listen(server, port);
    },
    stop: () => close(server),
  };
}
