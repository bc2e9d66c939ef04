// Asking the controller: one request, its answer or a CliError. Tries again by itself only where a repeat can't do harm.

import { randomUUID } from 'node:crypto'
import { CliError, type Context, exitCodes, usageError } from './context.ts'
import { type Controller, follow, isLost, pause, type StreamEvent } from './events.ts'
import { notNullroute, parsed, problem, unreachable } from './faults.ts'

/** What a request carries. */
interface Ask {
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

/** How often a request without an answer is repeated. */
const triesMax = 4
/** A controller that has too much to do is asked again later than one that gave no answer: as after so many attempts more. */
const overloadedAttempts = 2

/** The controller that NULLROUTE_URL and NULLROUTE_TOKEN name. */
export function createClient(context: Context): Client {
  const base = (context.environment['NULLROUTE_URL'] ?? 'http://127.0.0.1:8080').replace(/\/+$/, '')
  if (!/^https?:\/\/[^/]/.test(base) || !URL.canParse(base)) {
    throw usageError(
      `NULLROUTE_URL is ${JSON.stringify(base)}: expected an address with http:// or https://, such as http://127.0.0.1:8080`,
    )
  }
  // A file of variables written on Windows leaves a carriage return behind each.
  const token = context.environment['NULLROUTE_TOKEN']?.trim()
  if (token === undefined || token === '') {
    throw new CliError(
      exitCodes.refused,
      'no_token',
      'NULLROUTE_TOKEN is not set: make a token with `nullroute token create --data DIR --name NAME --role ROLE` on the controller, and export it',
    )
  }
  if (!/^[!-~]+$/.test(token)) {
    throw new CliError(
      exitCodes.refused,
      'no_token',
      'NULLROUTE_TOKEN holds blanks or signs that no token has, expected nr_ and 43 letters, digits, - or _: copy it again, without anything around it',
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

interface Request extends Controller {
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
      // Nobody listens there: waiting does not help a person who mistyped the address.
      if (attempt >= triesMax) throw fault
      if (isOverloaded(fault)) {
        await pause(attempt + overloadedAttempts, about.context.signal)
      } else if (isLost(fault) && repeatable && fault.code !== 'refused') {
        await pause(attempt, about.context.signal)
      } else throw fault
    }
  }
}

// It did nothing of what was asked: any request may be sent again.
function isOverloaded(fault: unknown): boolean {
  return fault instanceof CliError && fault.code === 'overloaded'
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
  return answerOf(about, response)
}

async function answerOf({ context, base }: Request, response: Response): Promise<unknown> {
  const text = await response.text().catch((fault: unknown) => {
    throw unreachable(context, base, fault)
  })
  if (!response.ok) throw problem(response.status, text, base)
  if (text === '') return undefined
  const type = response.headers.get('content-type') ?? 'no type'
  const value = type.includes('json') ? parsed(text) : undefined
  if (value === undefined) throw notNullroute(base, `${response.status} with ${type} and no JSON`)
  return value
}
