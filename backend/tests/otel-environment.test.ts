/** What is said to OpenTelemetry in its own variables. */
import { expect, test } from 'vitest';
import { variablesOf, withVariables } from '../src/otel/environment';

const about = { app: 'rezapp-api', release: 'rezapp-api@2.4.1', environment: 'staging' };

test('a service that sets no variable has its name, version and stage', () => {
  expect(variablesOf(about, {})).toMatchObject({
    OTEL_SERVICE_NAME: 'rezapp-api',
    OTEL_RESOURCE_ATTRIBUTES: 'service.version=2.4.1,deployment.environment.name=staging',
    OTEL_EXPORTER_OTLP_PROTOCOL: 'http/protobuf',
  });
});

test('a variable that is set stays, and attributes of the app come last, where they win', () => {
  const environment = {
    OTEL_SERVICE_NAME: 'own',
    OTEL_RESOURCE_ATTRIBUTES: 'service.version=9',
    OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc',
    OTEL_NODE_ENABLED_INSTRUMENTATIONS: 'pg',
    OTEL_TRACES_SAMPLER: 'always_on',
  };
  expect(variablesOf({ ...about, tracesSampleRate: 0.5 }, environment)).toEqual({
    OTEL_RESOURCE_ATTRIBUTES: 'service.version=2.4.1,deployment.environment.name=staging,service.version=9',
    OTEL_LOGS_EXPORTER: 'none',
  });
});

test('a share of the traces keeps the decision of the caller', () => {
  const found = variablesOf({ ...about, tracesSampleRate: 0.25 }, {});
  expect(found).toMatchObject({ OTEL_TRACES_SAMPLER: 'parentbased_traceidratio', OTEL_TRACES_SAMPLER_ARG: '0.25' });
});

test('a value with signs of the syntax is one value', () => {
  const { OTEL_RESOURCE_ATTRIBUTES: text } = variablesOf({ app: 'a', release: '1,service.name=x é' }, {});
  expect(text).toBe('service.version=1%2Cservice.name%3Dx%20%C3%A9');
});

test('the variables are gone afterwards, also when the work throws', () => {
  const before = { ...process.env };
  const work = () => {
    expect(process.env.OTEL_SERVICE_NAME).toBe('a');
    throw new Error('no');
  };
  expect(() => withVariables({ OTEL_SERVICE_NAME: 'a', PATH: '/nowhere' }, work)).toThrow('no');
  expect(process.env).toEqual(before);
});
