// The API's share of the log: what a request is in it, and what never is.

import type { LoggerOptions } from 'pino'

/** Parts of pino's options that keep credentials out. Headers, bodies and queries are never logged at all; redaction stands behind that, for errors that carry a request. */
export const requestLogging: Pick<LoggerOptions, 'redact' | 'serializers'> = {
  redact: {
    paths: [
      'authorization',
      'token',
      'password',
      '*.authorization',
      '*.token',
      '*.password',
      '*.headers.authorization',
      '*.headers.cookie',
      'err.headers.authorization',
    ],
    censor: '[redacted]',
  },
  serializers: {
    req: (request: { id?: string; method?: string; url?: string; ip?: string }) => ({
      id: request.id,
      method: request.method,
      path: request.url?.split('?')[0],
      from: request.ip,
    }),
    res: (reply: { statusCode?: number }) => ({ status: reply.statusCode }),
  },
}
