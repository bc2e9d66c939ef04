// What is shown while an enforcement is waited for: by device, what is waited for and how long.

import fc from 'fast-check'
import picocolors from 'picocolors'
import { describe, expect, it } from 'vitest'
import type { EnforcementDeviceView, EnforcementView } from '../../controller/api/schema.ts'
import type { Style } from '../../controller/cli/print.ts'
import {
  advance,
  begin,
  news,
  type ProgressEvent,
  screen,
  waitedFor,
} from '../../controller/cli/progress.ts'

const plain: Style = { colours: picocolors.createColors(false), columns: 80 }
const at = '2026-11-27T12:00:00.000Z'

type Status = EnforcementDeviceView['status']

function device(
  name: string,
  status: Status,
  seen: 'present' | 'absent' = 'absent',
): EnforcementDeviceView {
  const intent = { key: 'port|p1', kind: 'port', outcome: 'applied', seen } as const
  return { device: name, role: 'enforcer', status, intents: [intent], attempts: 1 }
}

function enforcement(status: EnforcementView['status'], devices: readonly EnforcementDeviceView[]) {
  const view = { id: 'E', status, action: 'suspend', customer: 'esthost', devices }
  // Only what progress looks at.
  return { ...view, decision: { subject: { customer: 'esthost' } } } as unknown as EnforcementView
}

function event(type: string, ...results: EnforcementDeviceView[]): ProgressEvent {
  const name = results[0]?.device ?? ''
  return { event: 'device', data: { time: at, type, outcome: 'ok', device: name, results } }
}

describe('progress', () => {
  it('says what each device does and for how long, until it is verified', () => {
    const first = begin(enforcement('enforcing', [device('sw1', 'pending')]), 0)
    const sent = advance(first, event('device.commands_intended', device('sw1', 'converging')), 200)
    const done = advance(sent, event('device.verified', device('sw1', 'verified', 'present')), 700)

    const lines = (state: typeof first, now: number) => screen(plain, state, { now, rows: 24 })
    expect(lines(first, 100)[1]).toMatch(/sw1 +enforcer +pending +0\.1 s, waits for its turn/)
    expect(lines(sent, 500)[1]).toMatch(/sw1 +enforcer +converging +0\.3 s, lines are on the way/)
    expect(lines(done, 900)[1]).toMatch(/sw1 +enforcer +verified +0\.7 s/)
    expect(waitedFor(sent, 500)).toBe('waiting for sw1 (converging 0.3 s)')
    expect(waitedFor(done, 900)).toBeUndefined()
  })

  it('tells only what has changed, as plain lines', () => {
    const first = begin(
      enforcement('enforcing', [device('sw1', 'pending'), device('sw2', 'pending')]),
      0,
    )
    const next = advance(first, event('device.connected', device('sw2', 'converging')), 400)
    const again = advance(next, event('device.observed', device('sw2', 'converging')), 500)

    expect(news(first, next, 400)).toEqual([
      expect.stringMatching(/^\+0\.4 s {2}sw2 {2}enforcer {2}converging/),
    ])
    expect(news(next, again, 500)).toEqual([])
  })

  it('says why a device can’t be reached', () => {
    const error = { code: 'unreachable', message: 'no answer on port 22', remedy: 'look' }
    const first = begin(enforcement('enforcing', [device('sw1', 'pending')]), 0)
    const next = advance(
      first,
      event('device.unreachable', { ...device('sw1', 'unreachable'), error }),
      1_000,
    )

    expect(news(first, next, 1_000).join('\n')).toContain('unreachable  no answer on port 22')
  })

  it('waits in a release for a device until it is read back, and calls lifted what is gone', () => {
    const first = begin(enforcement('releasing', [device('sw1', 'converging', 'present')]), 0)
    const next = advance(first, event('device.verified', device('sw1', 'verified', 'absent')), 300)

    expect(screen(plain, first, { now: 100, rows: 24 })[1]).toContain('converging')
    expect(waitedFor(first, 100)).toContain('sw1')
    expect(screen(plain, next, { now: 400, rows: 24 })[1]).toMatch(/ lifted +0\.3 s$/)
    expect(waitedFor(next, 400)).toBeUndefined()
  })

  it('is done in a release with a device on which another enforcement holds the object, and never calls it lifted', () => {
    const off = device('edge2', 'unreachable', 'present')
    const first = begin(enforcement('releasing', [device('sw1', 'pending', 'present'), off]), 0)
    const next = advance(first, event('device.verified', device('sw1', 'verified', 'present')), 300)

    expect(news(first, next, 300)).toEqual([
      '+0.3 s  sw1  enforcer  read back  0.3 s, 1 of 1 left in place: another enforcement holds it',
    ])
    expect(waitedFor(next, 60_000)).toBe('waiting for edge2 (unreachable 60 s)')
  })

  it('fits any terminal, whatever the devices are called', () => {
    const names = fc.uniqueArray(fc.stringMatching(/^[a-z0-9][a-z0-9._-]{0,20}$/), {
      minLength: 1,
      maxLength: 60,
    })
    fc.assert(
      fc.property(
        names,
        fc.integer({ min: 60, max: 200 }),
        fc.integer({ min: 6, max: 60 }),
        (all, columns, rows) => {
          const state = begin(
            enforcement(
              'enforcing',
              all.map((name) => device(name, 'pending')),
            ),
            0,
          )
          const lines = screen({ ...plain, columns }, state, { now: 1_000, rows })
          expect(lines.length).toBeLessThan(rows)
          expect(lines.filter((line) => line.length > columns)).toEqual([])
        },
      ),
    )
  })
})
