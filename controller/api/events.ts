// Server-sent events of one enforcement, made from its records in the audit log: nothing is polled, and a client that comes back resumes where it was.

import { Readable } from 'node:stream'
import { z } from 'zod'
import type { Clock } from '../../agent/clock.ts'
import { settled as settledStatuses } from '../enforcement.ts'
import { ControllerError } from '../errors.ts'
import type { Store } from '../store/store.ts'
import { everyone, isStillLetIn } from './auth.ts'
import { type Api, type ApiContext, notFound, problems, sendRaw } from './context.ts'
import type { DeviceEvent, SettledEvent, StatusEvent } from './schema.ts'
import { EventsHeaders, UlidPath } from './schema.ts'
import { deviceViews, optional } from './views.ts'
import { recordOf, type StoredRecord } from './views-audit.ts'

/** Entries read at once; a slow client holds no more than one such batch. */
const batchSize = 100
/** A comment is sent after so long without an event, in ms, so that no proxy takes the stream for dead. */
const quietMs = 15_000

/** Wakes those that follow an enforcement when a record about it is durable, and all of them when a token is revoked, which may be theirs: one subscription to the store for all of them. */
export interface Followers {
  /** Calls `wake` after each commit about the enforcement or the end of a token, until the answered function is called. */
  follow(enforcement: string, wake: () => void): () => void
  readonly count: number
  /** Ends every stream. */
  close(): void
  readonly signal: AbortSignal
}

/** Followers of a store's commits. */
export function createFollowers(store: Store): Followers {
  const byEnforcement = new Map<string, Set<() => void>>()
  const stopping = new AbortController()
  let count = 0
  const stop = store.subscribe((records) => {
    const touched = new Set(records.map(({ enforcement }) => enforcement))
    for (const id of touched) {
      if (id !== undefined) for (const wake of byEnforcement.get(id) ?? []) wake()
    }
    if (records.some(({ type }) => type === 'token.revoked')) {
      for (const wakes of byEnforcement.values()) for (const wake of wakes) wake()
    }
  })
  return {
    follow(enforcement, wake) {
      const followers = byEnforcement.get(enforcement) ?? new Set()
      byEnforcement.set(enforcement, followers)
      followers.add(wake)
      count++
      return () => {
        if (!followers.delete(wake)) return
        count--
        if (followers.size === 0) byEnforcement.delete(enforcement)
      }
    },
    get count() {
      return count
    },
    close() {
      stop()
      stopping.abort()
    },
    signal: stopping.signal,
  }
}

/** GET /v1/enforcements/{id}/events. */
export function eventRoutes(app: Api, context: ApiContext, followers: Followers): void {
  const { store } = context.controller
  app.route({
    method: 'GET',
    url: '/v1/enforcements/:id/events',
    exposeHeadRoute: false,
    config: { access: everyone },
    schema: {
      summary: 'Events as they happen: status, device, settled; ends when settled',
      description:
        'Starts with what happened so far, or after Last-Event-ID. 204 where nothing more will come: it is settled and all was seen. Ends with the token: at once when it is revoked here, else within 15 seconds.',
      tags: ['enforcements'],
      params: UlidPath,
      headers: EventsHeaders,
      response: {
        200: {
          description: 'events of the kinds StatusEvent, DeviceEvent and SettledEvent',
          content: { 'text/event-stream': { schema: z.string() } },
        },
        204: z.null().describe('settled, and nothing new'),
        ...problems,
      },
    },
    handler: async (request, reply) => {
      const { id } = request.params
      const after = Number(request.headers['last-event-id'] ?? -1)
      const first = nextEvents(store, id, after)
      if (first === undefined) throw notFound('enforcement', id)
      if (first.frames === '' && first.settled) return reply.code(204).send(null)
      if (followers.count >= context.eventStreamsMax) {
        throw new ControllerError(
          'overloaded',
          `${followers.count} clients listen already: ask for the enforcement itself, or try again later`,
        )
      }
      const gone = new AbortController()
      reply.raw.on('close', () => gone.abort())
      const signal = AbortSignal.any([gone.signal, followers.signal])
      const { clock } = context
      const mayGoOn = (): boolean => isStillLetIn({ store, clock }, request)
      const frames = follow({ store, clock, followers, id, after, signal, mayGoOn })
      context.metrics.eventStreams(followers.count)
      // The connection ends with the stream: one kept open for more would hold up a stop of the server.
      reply
        .header('connection', 'close')
        .header('cache-control', 'no-store')
        .header('x-accel-buffering', 'no')
      return sendRaw(reply, 'text/event-stream; charset=utf-8', Readable.from(frames))
    },
  })
}

interface Following {
  readonly store: Store
  readonly clock: Clock
  readonly followers: Followers
  readonly id: string
  readonly after: number
  readonly signal: AbortSignal
  /** Whether the client's token is still good. */
  readonly mayGoOn: () => boolean
}

// Listens before it reads, so that nothing falls between the two. It reads on only when the client has taken what came before.
async function* follow(following: Following): AsyncGenerator<string> {
  const { store, clock, followers, id, signal, mayGoOn } = following
  const bell = createBell(clock, signal)
  const leave = followers.follow(id, bell.ring)
  let after = following.after
  try {
    while (!signal.aborted && mayGoOn()) {
      const next = nextEvents(store, id, after)
      if (next === undefined) return
      after = next.after
      if (next.frames !== '') yield next.frames
      if (next.more) continue
      if (next.settled) return
      if ((await bell.wait()) === 'quiet' && mayGoOn()) yield ': still here\n\n'
    }
  } finally {
    leave()
    bell.close()
  }
}

interface Next {
  readonly frames: string
  readonly after: number
  readonly more: boolean
  readonly settled: boolean
}

function nextEvents(store: Store, id: string, after: number): Next | undefined {
  return store.read((rows) => {
    const enforcement = rows.enforcement(id)
    if (enforcement === undefined) return undefined
    const entries = rows.log({ enforcement: id, after, limit: batchSize })
    const more = entries.length === batchSize
    const settled = settledStatuses.includes(enforcement.status)
    const records = entries.map(recordOf)
    const last = records.findLast(({ type }) => type === 'enforcement.settled')
    const devices = deviceViews(rows.wanted({ enforcement: id }), rows.results({ enforcement: id }))
    const frames = records.map((record) => {
      // One that was settled and went on is history: whoever waits for the end must not take it for the end.
      if (record === last && settled && !more) return settledFrame(record)
      return record.on['device'] === undefined
        ? frame('status', record.seq, statusData(record, enforcement.status))
        : frame('device', record.seq, deviceData(record, devices))
    })
    return { frames: frames.join(''), after: entries.at(-1)?.seq ?? after, more, settled }
  })
}

function settledFrame(record: StoredRecord): string {
  // Written by the life cycle: {status, devices: [{device, role, status}]}.
  const { status, devices } = record.data as Pick<SettledEvent, 'status' | 'devices'>
  return frame('settled', record.seq, {
    time: record.time,
    status,
    devices: devices.map(({ device, role, status: reached }) => ({
      device,
      ...optional('role', role),
      status: reached,
    })),
  })
}

// What was settled once keeps the status that it had; of other records only the present one is known.
function statusData(record: StoredRecord, now: StatusEvent['status']): StatusEvent {
  const { time, type, outcome } = record
  const { status } = record.data as { readonly status?: StatusEvent['status'] }
  const then = type === 'enforcement.settled' ? status : undefined
  return { time, type, outcome, status: then ?? now }
}

function deviceData(record: StoredRecord, devices: ReturnType<typeof deviceViews>): DeviceEvent {
  const device = record.on['device'] ?? ''
  const step = record.data['step']
  const results = devices.filter((one) => one.device === device)
  return {
    time: record.time,
    type: record.type,
    outcome: record.outcome,
    device,
    ...(typeof step === 'number' ? { step } : {}),
    results,
  }
}

function frame(event: string, seq: number, data: StatusEvent | DeviceEvent | SettledEvent): string {
  return `id: ${seq}\nevent: ${event}\ndata: ${JSON.stringify(data)}\n\n`
}

/** Something to wait at. A ring while nobody waits is not lost. */
interface Bell {
  readonly ring: () => void
  wait(): Promise<'rung' | 'quiet'>
  close(): void
}

function createBell(clock: Clock, signal: AbortSignal): Bell {
  let rung = false
  let wake: (() => void) | undefined
  const ring = (): void => {
    rung = true
    wake?.()
  }
  signal.addEventListener('abort', ring, { once: true })
  return {
    ring,
    async wait() {
      let cancel = (): void => undefined
      if (!rung) {
        await new Promise<void>((resolve) => {
          wake = resolve
          cancel = clock.after(quietMs, resolve)
        })
      }
      cancel()
      wake = undefined
      const why = rung ? 'rung' : 'quiet'
      rung = false
      return why
    },
    close: () => signal.removeEventListener('abort', ring),
  }
}
