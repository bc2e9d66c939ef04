// Asking the controller: one request, its answer or a CliError. Tries again by itself only where a repeat can't do harm.

import { randomUUID } from 'node:crypto'
import { setTimeout } from 'node:timers/promises'
import { createParser, type EventSourceMessage } from 'eventsource-parser'
import { CliError, type Context, exitCodes, usageError } from './context.ts'

/** What a request carries. */
export interface Ask {
  readonly query?: Readonly<Record<string, string | readonly string[] | undefined>>
  readonly body?: unknown
  /** A decision: gets an idempotency key, so that a repeat after a lost answer is the same decision. Also for what does nothing when repeated. */
  readonly idempotent?: boolean
}

/** The controller, over HTTP. */
export interface Client {
  get<T>(path: string, query?: Ask['query']): Promise<T>
  post<T>(path: string, ask?: Ask): Promise<T>
  delete<T>(path: string, query?: Ask['query']): Promise<T>
  /** All items of a paged list, up to `limit`. */
  list<T>(path: string, query: Ask['query'], limit: number): Promise<readonly T[]>
  /** Events of an enforcement until it is settled; resumes where it was cut off, also over a restart of the controller. */
  events(enforcement: string, signal?: AbortSignal): AsyncGenerator<StreamEvent>
  /** The controller's time, in whole seconds, never ahead of it: what relative times count from. */
  now(): Promise<Date>
}

/** One event of an enforcement. */
export interface StreamEvent {
  readonly event: string
  readonly data: unknown
}

/** How often a request without an answer is repeated. */
const triesMax = 4
/** How often a stream that was cut off is taken up again before it is given up: over half a minute. */
const resumesMax = 10
/** Time before a repeat, in ms, doubling up to the longest. */
const retryDelayMs = 200
const retryDelayMsMax = 5_000

/** The controller that NULLROUTE_URL and NULLROUTE_TOKEN name. */
export function createClient(context: Context): Client {
  const base = (context.environment['NULLROUTE_URL'] ?? 'http://127.0.0.1:8080').replace(/\/+$/, '')
  if (!/^https?:\/\/[^/]/.test(base) || !URL.canParse(base)) {
    throw usageError(
      `NULLROUTE_URL is "${base}": expected an address such as http://127.0.0.1:8080`,
    )
  }
  const token = context.environment['NULLROUTE_TOKEN']
  if (token === undefined || token === '') {
    throw new CliError(
      exitCodes.refused,
      'no_token',
      'NULLROUTE_TOKEN is not set: make a token with `nullroute token create --data DIR --name NAME --role ROLE` on the controller, and export it',
    )
  }
  const headers = { authorization: `Bearer ${token}`, accept: 'application/json' }
  const ask = (method: string, path: string, more: Ask = {}) =>
    request({ context, base, headers, method, path, more })
  return {
    get: async <T>(path: string, query?: Ask['query']) =>
      (await ask('GET', path, query === undefined ? {} : { query })) as T,
    post: async <T>(path: string, more: Ask = {}) => (await ask('POST', path, more)) as T,
    delete: async <T>(path: string, query?: Ask['query']) =>
      (await ask('DELETE', path, query === undefined ? {} : { query })) as T,
    async list<T>(path: string, query: Ask['query'], limit: number) {
      const items: T[] = []
      let cursor: string | undefined
      do {
        const page = (await ask('GET', path, {
          query: { ...query, limit: String(Math.min(200, limit - items.length)), cursor },
        })) as { items: T[]; nextCursor?: string | null }
        items.push(...page.items)
        cursor = page.nextCursor ?? undefined
      } while (cursor !== undefined && items.length < limit)
      return items
    },
    events: (enforcement, signal = context.signal) =>
      follow({ context, base, headers }, enforcement, signal),
    async now() {
      const response = await fetch(`${base}/healthz`, { signal: context.signal }).catch(
        (fault: unknown) => {
          throw unreachable(context, base, fault)
        },
      )
      await response.arrayBuffer()
      const date = new Date(response.headers.get('date') ?? Number.NaN)
      return Number.isNaN(date.getTime()) ? new Date() : date
    },
  }
}

interface Request {
  readonly context: Context
  readonly base: string
  readonly headers: Readonly<Record<string, string>>
  readonly method: string
  readonly path: string
  readonly more: Ask
}

async function request(about: Request): Promise<unknown> {
  const { method, more } = about
  const key = more.idempotent === true ? randomUUID() : undefined
  const repeatable = method === 'GET' || key !== undefined
  for (let attempt = 1; ; attempt++) {
    try {
      return await once(about, key)
    } catch (fault) {
      const lost = fault instanceof CliError && fault.exit === exitCodes.unreachable
      // Nobody listens there: waiting does not help a person who mistyped the address.
      if (!lost || !repeatable || attempt >= triesMax || fault.code === 'refused') throw fault
      await pause(attempt, about.context.signal)
    }
  }
}

async function once(about: Request, key: string | undefined): Promise<unknown> {
  const { context, base, method, path, more } = about
  const url = new URL(base + path)
  for (const [name, value] of Object.entries(more.query ?? {})) {
    for (const one of [value ?? []].flat()) url.searchParams.append(name, one)
  }
  const response = await fetch(url, {
    method,
    signal: context.signal,
    headers: {
      ...about.headers,
      ...(more.body === undefined ? {} : { 'content-type': 'application/json' }),
      ...(key === undefined ? {} : { 'idempotency-key': key }),
    },
    ...(more.body === undefined ? {} : { body: JSON.stringify(more.body) }),
  }).catch((fault: unknown) => {
    throw unreachable(context, base, fault)
  })
  const text = await response.text().catch((fault: unknown) => {
    throw unreachable(context, base, fault)
  })
  if (!response.ok) throw problem(response.status, text, base)
  if (text === '') return undefined
  return response.headers.get('content-type')?.includes('json') === true ? JSON.parse(text) : text
}

function unreachable(context: Context, base: string, fault: unknown): CliError {
  if (context.signal.aborted) {
    return new CliError(exitCodes.interrupted, 'interrupted', 'interrupted')
  }
  const cause = fault instanceof Error && fault.cause instanceof Error ? fault.cause : fault
  const why =
    cause instanceof Error ? cause.message || String(Reflect.get(cause, 'code')) : String(cause)
  const code =
    cause instanceof Error && Reflect.get(cause, 'code') === 'ECONNREFUSED'
      ? 'refused'
      : 'unreachable'
  return new CliError(
    exitCodes.unreachable,
    code,
    `can't reach the controller at ${base} (${why}): is \`nullroute serve\` running, and is NULLROUTE_URL right?`,
  )
}

// What can't be as it was called is a usage error, as the controller's own table has it; everything else a refusal.
const usageCodes: readonly string[] = ['invalid_request', 'malformed_json']

function problem(status: number, text: string, base: string): CliError {
  const body = problemBody(text)
  if (body === undefined) {
    return new CliError(
      exitCodes.unreachable,
      'not_nullroute',
      `${base} answered ${status} and no problem+json: is NULLROUTE_URL a nullroute controller, or a proxy before it?`,
    )
  }
  const code = String(body['code'])
  const detail = String(body['detail'] ?? body['title'] ?? `HTTP ${status}`)
  const errors = Array.isArray(body['errors']) ? body['errors'].map(requestError) : []
  const message = errors.length === 0 ? detail : ['the request is invalid:', ...errors].join('\n  ')
  const remedy = typeof body['remedy'] === 'string' ? `\n  ${body['remedy']}` : remedies[code]
  const exit = usageCodes.includes(code) ? exitCodes.usage : exitCodes.refused
  return new CliError(exit, code, `${message}${remedy ?? ''}`, body)
}

/** What to do about refusals whose texts don't say it. */
const remedies: Readonly<Record<string, string>> = {
  unauthenticated:
    '\n  NULLROUTE_TOKEN is not a token of this controller, or has ended: make one with `nullroute token create --data DIR --name NAME --role ROLE`',
  rate_limited: '\n  wait a minute, then ask less often',
  duplicate_suspected:
    '\n  look at it with `nullroute status ID`; to decide the same once more, wait a minute',
  unknown_customer: '\n  `nullroute lookup ADDRESS` says whose an address is',
  unknown_device: '\n  `nullroute device list` shows all devices',
  plan_stale: '\n  make a new plan with --dry-run, and review it',
}

function problemBody(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const body: unknown = JSON.parse(text)
    return typeof body === 'object' && body !== null && 'code' in body ? { ...body } : undefined
  } catch {
    return undefined
  }
}

/** JSON Pointers of a request → the flags that fill them. */
const flags: readonly (readonly [RegExp, string])[] = [
  [/^\/reason\/(category|summary|ticket)$/, '--$1'],
  [/^\/reason\/evidence.*$/, '--evidence'],
  [/^\/expiresAt$/, '--expires'],
  [/^\/(playbook|digest|reason)$/, '--$1'],
  [/^\/planId$/, '--plan'],
  [/^\/override.*$/, '--override'],
  [/^\/subject\/customer$/, 'CUSTOMER'],
  [/^\/subject\/(prefix|port|neighbor).*$/, '--$1'],
  [/^\/(ip)$/, 'ADDRESS'],
  [/^\/id$/, 'ID'],
]

function requestError(error: unknown): string {
  const { path, message } = error as { readonly path: string; readonly message: string }
  const flag = flags.find(([pattern]) => pattern.test(path))
  const place = flag === undefined ? path || 'the request' : path.replace(flag[0], flag[1])
  return `${place}: ${message}`
}

/** Waits before a repeat, longer each time; ends at once when interrupted. */
async function pause(attempt: number, signal: AbortSignal): Promise<void> {
  const ms = Math.min(retryDelayMs * 2 ** (attempt - 1), retryDelayMsMax)
  await setTimeout(ms, undefined, { signal }).catch(() => {
    throw new CliError(exitCodes.interrupted, 'interrupted', 'interrupted')
  })
}

async function* follow(
  about: Pick<Request, 'context' | 'base' | 'headers'>,
  enforcement: string,
  signal: AbortSignal,
): AsyncGenerator<StreamEvent> {
  let last: string | undefined
  for (let attempt = 1; ; attempt++) {
    try {
      for await (const message of stream(about, enforcement, { last, signal })) {
        last = message.id ?? last
        attempt = 1
        yield { event: message.event ?? 'message', data: JSON.parse(message.data) }
        if (message.event === 'settled') return
      }
    } catch (fault) {
      if (fault instanceof Ended) return
      const lost = fault instanceof CliError && fault.exit === exitCodes.unreachable
      // The first connection has to work; one that was cut off later is taken up again.
      if (!lost || last === undefined || attempt >= resumesMax) throw fault
    }
    if (attempt >= resumesMax) return
    await pause(attempt, signal)
  }
}

/** Nothing more will come. */
class Ended extends Error {
  override readonly name = 'Ended'
}

async function* stream(
  about: Pick<Request, 'context' | 'base' | 'headers'>,
  enforcement: string,
  from: { readonly last: string | undefined; readonly signal: AbortSignal },
): AsyncGenerator<EventSourceMessage> {
  const { context, base } = about
  const response = await fetch(`${base}/v1/enforcements/${enforcement}/events`, {
    signal: from.signal,
    headers: {
      ...about.headers,
      accept: 'text/event-stream',
      ...(from.last === undefined ? {} : { 'last-event-id': from.last }),
    },
  }).catch((fault: unknown) => {
    throw unreachable(context, base, fault)
  })
  if (response.status === 204) throw new Ended()
  if (!response.ok || response.body === null) {
    throw problem(response.status, await response.text(), base)
  }
  yield* messages(response.body)
}

async function* messages(body: ReadableStream<Uint8Array>): AsyncGenerator<EventSourceMessage> {
  const waiting: EventSourceMessage[] = []
  const parser = createParser({ onEvent: (event) => waiting.push(event) })
  const decoder = new TextDecoder()
  try {
    for await (const chunk of body) {
      parser.feed(decoder.decode(chunk, { stream: true }))
      yield* waiting.splice(0)
    }
  } catch {
    // A cut connection ends this stream; the caller resumes behind the last event.
  }
}
