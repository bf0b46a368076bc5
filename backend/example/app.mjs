/**
 * The shop's API: products in MongoDB, cached in Redis with the carts, payments with faults. The example app for React Native calls it.
 *
 * | request | answer |
 * | --- | --- |
 * | `GET /products`, `GET /products/:id` | the catalogue |
 * | `POST /cart` `{"id", "quantity"}` | what is in the cart |
 * | `POST /pay` `{"amount", "fault"}` | a receipt; `fault` is `none`, `slow`, `503`, `timeout`, `declined` or `bug` |
 * | `GET /images/:id.png` | a picture |
 * | `/api/health`, `/api/health/detailed`, `/api/live`, `/api/ready`, `/metrics` | the state of the service |
 * | `POST /v1/batch` | what the app's own queue delivers |
 */
import { randomBytes } from 'node:crypto';
import {
  AlertSeverity,
  AppError,
  alertService,
  asyncHandler,
  errorHandler,
  healthRouter,
  initSentry,
  metricsHandler,
  notFoundHandler,
  performanceMiddleware,
  recordPayment,
  sentryErrorHandler,
} from '@rez/monitor-node';
import { mongoSink, rezIngest } from '@rez/monitor-node/ingest';
import express from 'express';
import mongoose from 'mongoose';
import { product, shop } from '../../react-native/example/server.mjs';

const PRODUCTS = 24;
const SLOW_MS = 3_000;
const CART_SECONDS = 24 * 60 * 60;
/** A price that has changed is seen after this. */
const CACHE_SECONDS = 60;

const Product = mongoose.model(
  'Product',
  new mongoose.Schema(
    { id: { type: Number, unique: true }, name: String, price: Number, image: String },
    { versionKey: false },
  ),
);

/** Fills an empty catalogue. */
export async function fillCatalogue() {
  await Product.init();
  for (let id = 1; id <= PRODUCTS; id++) await Product.updateOne({ id }, product(id), { upsert: true });
}

/** Returns the Express app. */
export function makeApp({ redis, writeKey }) {
  const app = express();
  initSentry(app);
  app.use(allowPages);
  app.get('/metrics', metricsHandler());
  app.use('/api', healthRouter({ mongoose, redis }));
  if (writeKey) app.use(rezIngest({ keys: { [writeKey]: 'shop' }, sink: mongoSink(mongoose.connection) }));
  app.use(performanceMiddleware);
  app.use(express.json({ limit: '64kb' }));

  app.get(
    '/products',
    asyncHandler(async (_request, response) => {
      response.json(await Product.find({}, { _id: 0 }).sort('id').lean());
    }),
  );
  app.get(
    '/products/:id',
    asyncHandler(async (request, response) => {
      response.json(await cached(redis, request.params.id));
    }),
  );
  app.post(
    '/cart',
    asyncHandler(async (request, response) => {
      const { id, quantity } = request.body ?? {};
      const { price } = await found(id);
      if (!(Number.isInteger(quantity) && quantity >= 1 && quantity <= 99)) {
        throw new AppError('the quantity must be 1 to 99', 422, 'QUANTITY');
      }
      await redis
        .multi()
        .hincrby('cart', String(id), quantity)
        .hincrby('cart', 'total', price * quantity)
        .expire('cart', CART_SECONDS)
        .exec();
      const cart = await redis.hgetall('cart');
      response.json({ items: Object.keys(cart).length - 1, total: Number(cart.total) });
    }),
  );
  app.post(
    '/pay',
    asyncHandler(async (request, response) => {
      const { amount, fault = 'none' } = request.body ?? {};
      // Never answered: the app gives up.
      if (fault === 'timeout') return;
      if (fault === 'slow') await new Promise((resolve) => setTimeout(resolve, SLOW_MS));
      await inStock(Object.keys(await redis.hgetall('cart')).filter((name) => name !== 'total'));
      recordPayment(fault === 'none' || fault === 'slow');
      if (fault === 'declined') throw new AppError('card declined', 402, 'DECLINED');
      if (fault === '503') {
        await alertService.sendAlert(AlertSeverity.CRITICAL, 'Payment provider down', 'The bank does not respond', {
          amount,
        });
        throw new AppError('the bank does not respond', 503, 'PAYMENT_ERROR', false);
      }
      // A fault of the program: nobody expects it.
      if (fault === 'bug') amount.currency.toUpperCase();
      await redis.del('cart');
      response.json({ transaction_id: `t-${randomBytes(6).toString('hex')}`, amount, currency: 'INR' });
    }),
  );
  app.get('/images/:file', shop());

  app.use(notFoundHandler);
  sentryErrorHandler(app);
  app.use(errorHandler);
  return app;
}

/** Nothing is paid for that the catalogue has no more. */
async function inStock(ids) {
  const known = await Product.find({ id: { $in: ids.map(Number) } }, { _id: 0, id: 1 }).lean();
  if (known.length < ids.length) throw new AppError('a product of the cart is gone', 409, 'PRODUCT_GONE');
}

/** One product, from Redis if it was asked for in the last minute. */
async function cached(redis, id) {
  const key = `product:${Number(id) || 0}`;
  const known = await redis.get(key);
  if (known !== null) return JSON.parse(known);
  const one = await found(id);
  await redis.set(key, JSON.stringify(one), 'EX', CACHE_SECONDS);
  return one;
}

async function found(id) {
  const one = await Product.findOne({ id: Number(id) || 0 }, { _id: 0 }).lean();
  if (one === null) throw new AppError('no such product', 404, 'NOT_FOUND');
  return one;
}

/** The web build of the example app comes from another port, and its requests carry trace headers. */
function allowPages(request, response, next) {
  response.setHeader('access-control-allow-origin', '*');
  response.setHeader('access-control-allow-headers', request.headers['access-control-request-headers'] ?? '*');
  if (request.method === 'OPTIONS') response.sendStatus(204);
  else next();
}
