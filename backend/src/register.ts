/**
 * Starts OpenTelemetry before the app loads what is to be traced: `node --import @rez/monitor-node/register app.js`, or `--require` for
 * CommonJS. As the first `require` of a CommonJS app it does the same.
 */
import { startTelemetry } from './otel/start';

startTelemetry();
