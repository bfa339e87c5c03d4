// Loaded before Azurite: answers for packages that it asks for at its start and, with the options it is given here, never uses, which
// are two thirds of what it would load; and takes its collector away.
'use strict';

const Module = require('node:module');

const UNUSED = new Set([
  'applicationinsights', // telemetry, which is switched off
  'sequelize', // a database, for which the memory serves
  'winston', // the debug log, which is not asked for
]);

// Whatever is read from it, called or extended: itself.
const nothing = new Proxy(class {}, {
  get: (target, name) => (name in target ? target[name] : nothing),
  apply: () => nothing,
});

// Its collector of what no blob refers to any more sorts all that there is, again and again: after tens of thousands of writes it
// answers nobody for minutes. The memory is given back when the platform ends.
const collector = {
  __esModule: true,
  default: class {
    async start() {}
    async close() {}
  },
};

const load = Module._load;
Module._load = function (request, ...rest) {
  if (request === './gc/BlobGCManager') {
    return collector;
  }
  return UNUSED.has(request) ? nothing : load.call(this, request, ...rest);
};
