import { describe, expect, it } from 'vitest'
import { makeEntry } from '../../controller/audit/entry.ts'
import type { NewRecord } from '../../controller/audit/record.ts'
import { shorten } from '../../controller/audit/shorten.ts'

const actor = { kind: 'system', id: 'controller' } as const
const settled = (count: number): NewRecord => ({
  type: 'enforcement.settled',
  outcome: 'ok',
  actor,
  on: { enforcement: 'E1' },
  data: {
    status: 'enforced',
    devices: Array.from({ length: count }, (_, i) => ({
      device: `edge${i}.amsterdam.example`,
      role: 'enforcer',
      status: 'verified',
    })),
  },
})
const place = { seq: 1, prev: new Uint8Array(32), id: 'X', time: '2026-11-27T00:00:00.000Z' }

describe('a record', () => {
  it('of a few devices stands in its entry as it is', () => {
    expect(shorten(settled(50))).toEqual({ record: settled(50) })
  })

  it('of thousands of devices is an entry all the same, which names their number and keeps the rest', () => {
    const { record, long } = shorten(settled(20_000))

    expect(record.data).toEqual({ status: 'enforced', devices: 20_000 })
    expect(JSON.parse(long ?? '')).toEqual({ devices: settled(20_000).data['devices'] })
    expect(makeEntry(record, place, () => 'A'.repeat(22)).text.length).toBeLessThan(1_000)
  })

  it('with an answer of any length is an entry all the same', () => {
    const answer = 'x'.repeat(1_000_000)
    const { record, long } = shorten({ ...settled(1), data: { step: 3, line: 'no', answer } })

    expect(record.data).toEqual({ step: 3, line: 'no', answer: 1_000_000 })
    expect(JSON.parse(long ?? '')).toEqual({ answer })
  })

  it('with long hidden members has their digests in its entry, and keeps them where they are', () => {
    const data = { step: 1, commands: Array.from({ length: 5_000 }, (_, i) => `route ${i}`) }
    const record = { ...settled(1), type: 'device.commands_intended', data } as const

    expect(shorten(record)).toEqual({ record })
  })
})
