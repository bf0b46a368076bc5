'use strict';

/** The guide's file, with the collector of the benchmark. */
exports.config = {
  app_name: ['REZ API'],
  license_key: '0'.repeat(40),
  host: '127.0.0.1',
  port: Number(process.env.SINK_PORT),
  ssl: false,
  logging: { level: 'info', filepath: '/dev/null' },
  allow_all_headers: true,
  attributes: {
    exclude: [
      'request.headers.cookie',
      'request.headers.authorization',
      'request.headers.proxyAuthorization',
      'request.headers.setCookie*',
      'request.headers.x*',
      'response.headers.cookie',
      'response.headers.authorization',
      'response.headers.proxyAuthorization',
      'response.headers.setCookie*',
      'response.headers.x*',
    ],
  },
};
