// What is due by time, on the real database with a clock that is moved by hand.

import pino from 'pino'
import { describe, expect, it, vi } from 'vitest'
import type { Desk } from '../../controller/desk/desk.ts'
import { createLoop } from '../../controller/loop.ts'
import { enforcement, handClock, newFolder, open, wanted } from './parts.ts'

/** Only against hanging. */
const timeout = { timeout: 60_000 }

function loopOn(clock = handClock()) {
  const store = open({ dir: newFolder(), clock })
  const woken: string[] = []
  // The loop uses no more of a desk than these.
  const desk = {
    store,
    clock,
    log: pino({ level: 'silent' }),
    fleet: { wake: (device: string) => woken.push(device) },
  } as unknown as Desk
  const statusOf = (id: string) => store.read((rows) => rows.enforcement(id))?.status
  return { clock, store, desk, woken, statusOf }
}

describe('an end that has come', () => {
  it('waits for the start of the loop, so that a start that fails leaves nothing running', async () => {
    const { clock, store, desk, statusOf } = loopOn()
    const ending = { expiresAt: '2026-11-23T23:42:08.000Z' }
    await store.commit((tx) => tx.insertEnforcement(enforcement('B', ending), []))

    const loop = createLoop(desk)
    loop.poke()
    clock.pass(60_000)
    await store.commit(() => undefined)

    expect(statusOf('B')).toBe('enforcing')
    loop.stop()
  })

  it('releases, however many releases are overdue before it', async () => {
    const { clock, store, desk, woken, statusOf } = loopOn()
    const old = '2026-11-20T00:00:00.000Z'
    await store.commit((tx) => {
      for (let i = 0; i < 150; i++) {
        const late = { status: 'releasing', releaseRequestedAt: old, acceptedAt: old } as const
        tx.insertEnforcement(enforcement(`A${String(i).padStart(3, '0')}`, late), [])
      }
      const ending = { expiresAt: '2026-11-23T23:42:08.000Z' }
      tx.insertEnforcement(enforcement('B', ending), [wanted('B', 'edge1')])
    })

    const loop = createLoop(desk)
    loop.start()
    await vi.waitFor(() => {
      clock.pass(2_000)
      expect(statusOf('B')).toBe('releasing')
    }, timeout)

    expect(woken).toEqual(['edge1'])
    loop.stop()
  })

  it('is held while the clock has jumped, until a person says that it is right', async () => {
    const clock = handClock()
    let monotonic = 0
    const jumping = { ...clock, now: () => clock.now(), monotonicMs: () => monotonic }
    const { store, desk, statusOf } = loopOn(jumping)
    const ending = { expiresAt: '2026-11-23T23:50:00.000Z' }
    await store.commit((tx) =>
      tx.insertEnforcement(enforcement('B', ending), [wanted('B', 'edge1')]),
    )

    const loop = createLoop(desk)
    loop.start()
    await vi.waitFor(() => {
      monotonic += 31_000
      clock.pass(3_600_000)
      expect(loop.held()).toBeDefined()
    }, timeout)
    const held = statusOf('B')
    loop.acknowledge()

    await vi.waitFor(() => expect(statusOf('B')).toBe('releasing'), timeout)
    expect(held).toBe('enforcing')
    loop.stop()
  })
})
