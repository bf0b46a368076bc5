// A job: it makes a span and ends because nothing is left to do.
import { trace } from '@opentelemetry/api';

console.log('port 0');
trace.getTracer('job').startSpan('nightly').end();
