/** The routes that all servers of the benchmark answer, from memory: what differs between them is what watches. */
export function shop(express, around = { before() {}, after() {} }) {
  const app = express();
  around.before(app);
  app.use(express.json());
  app.get('/products/:id', (request, response) => {
    response.json({ id: Number(request.params.id), name: `Filter coffee no. ${request.params.id}`, price: 49 });
  });
  app.post('/cart', (request, response) => {
    response.json({ items: 1, total: request.body.quantity * 49 });
  });
  around.after(app);
  return app;
}

/** Listens on a free port and tells the benchmark; answers its question for the memory in use. */
export function serve(app) {
  const server = app.listen(0, '127.0.0.1', () => process.send({ port: server.address().port }));
  process.on('message', () => {
    globalThis.gc?.();
    const { rss, heapUsed } = process.memoryUsage();
    process.send({ rss, heapUsed });
  });
  process.on('disconnect', () => process.exit(0));
}
