// Events of an enforcement over a real connection: complete, in order, resumable, ended when settled, bounded.

import type { AddressInfo } from 'node:net'
import { createParser, type EventSourceMessage } from 'eventsource-parser'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { EventData } from '../../controller/api/schema.ts'
import { revokeToken } from '../../controller/desk/tokens.ts'
import { createWorld, type World } from './api-world.ts'

let world: World
let base: string

beforeEach(async () => {
  world = await createWorld({ eventStreams: 2 })
  await world.app.listen({ host: '127.0.0.1', port: 0 })
  base = `http://127.0.0.1:${(world.app.server.address() as AddressInfo).port}`
})
afterEach(() => world.close())

/** A client that follows one enforcement. */
interface Listener {
  readonly status: number
  readonly events: readonly EventSourceMessage[]
  readonly comments: number
  /** Resolves when so many events have come, or the stream has ended. */
  seen(count: number): Promise<void>
  readonly ended: Promise<void>
  leave(): void
}

async function listen(
  id: string,
  lastEventId?: string,
  token = world.tokens.get('auditor') ?? '',
): Promise<Listener> {
  const leaving = new AbortController()
  const answer = await fetch(`${base}/v1/enforcements/${id}/events`, {
    headers: {
      authorization: `Bearer ${token}`,
      ...(lastEventId === undefined ? {} : { 'last-event-id': lastEventId }),
    },
    signal: leaving.signal,
  })
  const events: EventSourceMessage[] = []
  const waiting = new Set<() => void>()
  let comments = 0
  const parser = createParser({
    onComment() {
      comments++
    },
    onEvent(event) {
      EventData[event.event as keyof typeof EventData].parse(JSON.parse(event.data))
      events.push(event)
      for (const check of waiting) check()
    },
  })
  let over = false
  const ended = (async () => {
    const decoder = new TextDecoder()
    try {
      for await (const bytes of answer.body ?? [])
        parser.feed(decoder.decode(bytes, { stream: true }))
    } catch (error) {
      if (!leaving.signal.aborted) throw error
    } finally {
      over = true
      for (const check of waiting) check()
    }
  })()
  return {
    status: answer.status,
    events,
    get comments() {
      return comments
    },
    ended,
    leave: () => leaving.abort(),
    seen: (count) =>
      new Promise((resolve) => {
        const check = () => {
          if (!over && events.length < count) return
          waiting.delete(check)
          resolve()
        }
        waiting.add(check)
        check()
      }),
  }
}

const names = (listener: Listener) => listener.events.map(({ event }) => event)

describe('events of an enforcement', () => {
  it('tell what happened so far, then what happens, and end when it is settled', async () => {
    const made = await world.enforcement('enforcing')
    const listener = await listen(made.id)
    await listener.seen(1)
    await world.settle(made, 'enforced')
    await listener.ended
    expect(names(listener)).toEqual(['status', 'device', 'settled'])
    expect(JSON.parse(listener.events[1]?.data ?? '')).toMatchObject({
      device: 'trigger1',
      type: 'device.verified',
      step: 1,
      results: [{ role: 'enforcer', status: 'verified' }],
    })
    expect(JSON.parse(listener.events[2]?.data ?? '')).toMatchObject({ status: 'enforced' })
  })

  it('carry the sequence number of their record, and resume after it', async () => {
    const made = await world.enforcement('enforcing')
    const first = await listen(made.id)
    await first.seen(1)
    first.leave()
    await first.ended
    await world.settle(made, 'enforced')
    const second = await listen(made.id, first.events[0]?.id)
    await second.ended
    const seqs = world.store
      .read((rows) => rows.log({ enforcement: made.id, after: -1, limit: 100 }))
      .map(({ seq }) => String(seq))
    expect([...first.events, ...second.events].map(({ id }) => id)).toEqual(seqs)
  })

  it('end at once for what is settled, and answer 204 to who has seen all of it', async () => {
    const made = await world.enforcement('enforcing')
    await world.settle(made, 'enforced')
    const whole = await listen(made.id)
    await whole.ended
    const again = await listen(made.id, whole.events.at(-1)?.id)
    await again.ended
    expect(names(whole)).toEqual(['status', 'device', 'settled'])
    expect(again.status).toBe(204)
  })

  it('do not call settled what has gone on since', async () => {
    const made = await world.enforcement('enforcing')
    const enforced = await world.settle(made, 'enforced')
    const releasing = await world.settle(enforced, 'releasing')
    const listener = await listen(made.id)
    await listener.seen(5)
    expect(names(listener)).not.toContain('settled')
    await world.settle(releasing, 'released')
    await listener.ended
    expect(names(listener).filter((name) => name === 'settled')).toHaveLength(1)
    expect(JSON.parse(listener.events.at(-1)?.data ?? '')).toMatchObject({ status: 'released' })
  })

  it('come whole and in order when there are more than one batch holds', async () => {
    const made = await world.enforcement('enforcing')
    await world.store.commit((tx) => {
      for (let n = 0; n < 250; n++) {
        tx.append({
          type: 'device.unreachable',
          outcome: 'failed',
          actor: { kind: 'agent', id: 'agent' },
          on: { enforcement: made.id, device: 'trigger1' },
          data: { why: 'timeout' },
        })
      }
    })
    const listener = await listen(made.id)
    await listener.seen(251)
    await world.settle(made, 'enforced')
    await listener.ended
    const ids = listener.events.map(({ id }) => Number(id))
    expect(ids).toHaveLength(253)
    expect(ids).toEqual(ids.toSorted((a, b) => a - b))
  })

  it('are for a bounded number of listeners; one who leaves makes room', async () => {
    const made = await world.enforcement('enforcing')
    const one = await listen(made.id)
    const two = await listen(made.id)
    const refused = await listen(made.id)
    one.leave()
    await one.ended
    let third = await listen(made.id)
    while (third.status === 503) third = await listen(made.id)
    expect([one.status, two.status, refused.status, third.status]).toEqual([200, 200, 503, 200])
    two.leave()
    third.leave()
  })

  it('tell a quiet client that they still go on', async () => {
    const made = await world.enforcement('enforcing')
    const listener = await listen(made.id)
    await listener.seen(1)
    while (listener.comments === 0) {
      world.clock.advance(15_000)
      await new Promise((resolve) => setImmediate(resolve))
    }
    expect(names(listener)).toEqual(['status'])
    listener.leave()
  })

  it('end at once for a client whose token is revoked, and for no other', async () => {
    const made = await world.enforcement('enforcing')
    const lost = await world.token(['auditor'])
    const cut = await listen(made.id, undefined, lost.token)
    const other = await listen(made.id)
    await Promise.all([cut.seen(1), other.seen(1)])

    await revokeToken(
      world.store,
      { actor: { kind: 'person', id: 'ann' }, at: world.clock.now().toISOString() },
      lost.id,
    )
    await cut.ended
    await world.settle(made, 'enforced')
    await other.ended

    expect(names(cut)).toEqual(['status'])
    expect(names(other)).toEqual(['status', 'device', 'settled'])
  })

  it('end with the token of their client, and tell nothing that came after', async () => {
    const made = await world.enforcement('enforcing')
    const soon = new Date(world.clock.now().getTime() + 60_000).toISOString()
    const { token } = await world.token(['auditor'], soon)
    const cut = await listen(made.id, undefined, token)
    await cut.seen(1)

    world.clock.advance(60_000)
    await cut.ended

    expect([names(cut), cut.comments]).toEqual([['status'], 0])
  })

  it('end when the server stops', async () => {
    const made = await world.enforcement('enforcing')
    const listener = await listen(made.id)
    await listener.seen(1)
    await world.app.close()
    await listener.ended
    expect(names(listener)).toEqual(['status'])
  })
})
