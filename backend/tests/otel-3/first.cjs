// The app starts OpenTelemetry by its first line, without an argument to node.
require('../../lib/register.cjs');
require('./app.cjs');
