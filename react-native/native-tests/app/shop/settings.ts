import type { Config } from '@rez/monitor';

export const settings: Config = {
  app: 'shop',
  release: 'shop@1.0.0+1',
  consent: { monitoring: 'granted', analytics: 'granted' },
  traceTargets: ['api.shop.example'],
  // A port that nothing listens on.
  rez: { endpoint: 'http://127.0.0.1:9', key: 'write-key' },
};
