/** `@rez/monitor-node/ingest`: the receiving side of the `rez` protocol. `docs/guide/ingest.md` describes it. */
export type { LostTotal } from './batch';
export type { Rejection, Row } from './event';
export { type IngestHandler, type IngestOptions, type Observed, rezIngest } from './ingest';
export type { Keys } from './keys';
export { KINDS, type Kind } from './kinds';
export { functionSink } from './sinks/function';
export { type MongoOptions, mongoSink } from './sinks/mongo';
export { mongoAnswers, mongoLost, mongoSeen } from './sinks/mongo-answers';
export type { MongoLike } from './sinks/mongo-driver';
export { type OtlpSinkOptions, otlpSink } from './sinks/otlp';
export type { Seen } from './sinks/seen';
export { type Answers, type Delivery, type Sink, SinkError, type Stored, type StoredAnswer } from './sinks/sink';
