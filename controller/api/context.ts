// What the routes share: the controller, the clock, and the few ways in which they read and answer.

import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Readable } from 'node:stream'
import type { FastifyBaseLogger, FastifyInstance, FastifyReply, RawServerDefault } from 'fastify'
import type { ZodTypeProvider } from 'fastify-type-provider-zod'
import { z } from 'zod'
import type { Clock } from '../../agent/clock.ts'
import type { Id } from '../../inventory/model.ts'
import type { Controller } from '../controller.ts'
import type { Enforcement } from '../enforcement.ts'
import { ControllerError } from '../errors.ts'
import type { Metrics } from '../metrics.ts'
import type { Rows } from '../store/store.ts'
import type { KnownRoute } from './auth.ts'
import { problemType } from './problem.ts'
import { type EnforcementView, Problem } from './schema.ts'
import { enforcementView } from './views.ts'

/** The server with zod as the type of its requests and answers. */
export type Api = FastifyInstance<
  RawServerDefault,
  IncomingMessage,
  ServerResponse,
  FastifyBaseLogger,
  ZodTypeProvider
>

/** What every resource's routes are made from. */
export interface ApiContext {
  readonly controller: Controller
  readonly clock: Clock
  readonly metrics: Metrics
  /** Complete once all routes are registered. */
  readonly routes: readonly KnownRoute[]
  readonly eventStreamsMax: number
}

/** Errors of any route, for its schema. */
export const problems = {
  '4xx': {
    description: 'refused: `code` says why',
    content: { [problemType]: { schema: Problem } },
  },
  '5xx': {
    description: 'failed: `code` says why',
    content: { [problemType]: { schema: Problem } },
  },
}

/** A body that may be left out altogether. */
export function optionalBody<T extends z.ZodType>(schema: T) {
  return schema.nullable()
}

/** What stands around all enforcements at this moment. */
function surroundings(context: ApiContext, rows: Rows) {
  const holds = context.controller.holds()
  return {
    isUnsaved: (device: Id) => rows.device(device)?.unsaved === true,
    frozen: holds.freeze !== undefined,
    clockHeld: holds.clock !== undefined,
    now: context.clock.now(),
  }
}

/** Enforcements as they are now, from one consistent state. */
export function viewEnforcements(
  context: ApiContext,
  rows: Rows,
  enforcements: readonly Enforcement[],
): EnforcementView[] {
  const around = surroundings(context, rows)
  return enforcements.map((enforcement) =>
    enforcementView(enforcement, {
      ...around,
      results: rows.results({ enforcement: enforcement.id }),
      wanted: rows.wanted({ enforcement: enforcement.id }),
    }),
  )
}

/** One enforcement as it is now. Throws ControllerError `not_found`. */
export function viewEnforcement(context: ApiContext, id: string): EnforcementView {
  return context.controller.store.read((rows) => {
    const enforcement = rows.enforcement(id)
    const view =
      enforcement === undefined ? undefined : viewEnforcements(context, rows, [enforcement])[0]
    if (view === undefined) throw notFound('enforcement', id)
    return view
  })
}

/** That something is not there. */
export function notFound(what: string, id: string): ControllerError {
  const list = lists[what]
  const remedy = list === undefined ? '' : `: GET ${list} lists what there is`
  return new ControllerError('not_found', `there is no ${what} ${id}${remedy}`)
}

const lists: Readonly<Record<string, string>> = {
  enforcement: '/v1/enforcements',
  customer: '/v1/customers',
  device: '/v1/devices',
}

/** What a cursor of a list by name begins with (`cursors.name`). */
const after = 'after.'

/** A page of a list that is held in memory, ordered by id. */
export function pageById<T extends { readonly id: string }>(
  all: readonly T[],
  { limit, cursor }: { readonly limit: number; readonly cursor?: string | undefined },
): { readonly items: T[]; readonly nextCursor?: string } {
  const sorted = [...all].sort((a, b) => (a.id < b.id ? -1 : a.id > b.id ? 1 : 0))
  const last = cursor?.slice(after.length)
  const rest = last === undefined ? sorted : sorted.filter(({ id }) => id > last)
  return pageOfMore(rest, limit, ({ id }) => `${after}${id}`)
}

/** A page of ids that are in order already: of a hundred thousand only those of the page are touched. */
export function pageOfIds(
  ascending: readonly string[],
  { limit, cursor }: { readonly limit: number; readonly cursor?: string | undefined },
): { readonly items: string[]; readonly nextCursor?: string } {
  const from = cursor === undefined ? 0 : firstBehind(ascending, cursor.slice(after.length))
  return pageOfMore(ascending.slice(from, from + limit + 1), limit, (id) => `${after}${id}`)
}

function firstBehind(ascending: readonly string[], cursor: string): number {
  let low = 0
  let high = ascending.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((ascending[middle] ?? '') > cursor) high = middle
    else low = middle + 1
  }
  return low
}

/** The first `limit` of what was found, and where to go on if that was not all. */
export function pageOfMore<T>(
  found: readonly T[],
  limit: number,
  cursorOf: (item: T) => string,
): { readonly items: T[]; readonly nextCursor?: string } {
  const items = found.slice(0, limit)
  const last = items.at(-1)
  return found.length > limit && last !== undefined
    ? { items, nextCursor: cursorOf(last) }
    : { items }
}

/** Sends bytes as they are: past the schema of the answer, which describes JSON. */
export async function sendRaw(
  reply: FastifyReply,
  type: string,
  body: Buffer | Readable,
): Promise<never> {
  // The reply is its own promise, which ends when all is sent; it answers nothing.
  return (await reply.type(type).send(body)) as never
}
