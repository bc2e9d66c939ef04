import { describe, expect, it } from 'vitest'
import type { Desired, Lifted } from '../../agent/diff.ts'
import { type Intent, keyOf } from '../../agent/intents.ts'
import { afterLifting, liftedMax, liftedOf } from '../../controller/device-state.ts'
import type { DeviceState } from '../../controller/store/store.ts'
import { parsePrefix } from '../../inventory/prefix.ts'

const fresh: DeviceState = {
  device: 'edge1',
  state: 'up',
  unsaved: false,
  step: 3,
  states: [],
  orphans: [],
}
const nothing: Desired = { wanted: [], expected: [], fading: [], claims: [], frozen: false }

function route(text: string): Intent {
  const prefix = parsePrefix(text)
  if (!prefix.ok) throw new Error(prefix.problem)
  return { kind: 'blackhole', vrf: 'default', prefix: prefix.value, tag: 666 }
}

function lifted(text: string): Lifted {
  const intent = route(text)
  return { key: keyOf(intent), intent, wrote: [`ip route ${text} blackhole tag 666`] }
}

const one = lifted('203.0.113.9/32')
const other = lifted('203.0.113.10/32')

describe('what is remembered of lifted objects', () => {
  it('is each once, the latest last, and nothing that was not written by us', () => {
    const state = afterLifting(afterLifting(fresh, [one, other]), [one, { ...other, wrote: [] }])

    expect(state.lifted).toEqual([other, one])
    expect(afterLifting(fresh, [])).toBe(fresh)
  })

  it('is bounded: the oldest are forgotten', () => {
    const many = Array.from({ length: liftedMax + 1 }, (_, i) => lifted(`198.51.100.${i}/32`))

    expect(afterLifting(afterLifting(fresh, [one]), many).lifted).toEqual(many.slice(1))
  })

  it('keeps what is there again over what came later', () => {
    const many = Array.from({ length: liftedMax }, (_, i) => lifted(`198.51.100.${i}/32`))
    const state = afterLifting(fresh, [one, other])
    const seen = { ...state, orphans: [{ key: one.key, object: one.wrote }] }

    expect(afterLifting(seen, many).lifted).toEqual([...many.slice(1), one])
  })

  it('is not looked for while it is wanted or held again', () => {
    const state = afterLifting(fresh, [one, other])
    const claim = { ...other, before: [], phase: 'pending', step: 4 } as const

    expect(liftedOf(state, { ...nothing, wanted: [one.intent], claims: [claim] })).toEqual([])
  })

  it('says whether it was seen there again', () => {
    const state = afterLifting(fresh, [one, other])
    const seen = { ...state, orphans: [{ key: one.key, object: one.wrote }] }

    expect(liftedOf(seen, nothing)).toEqual([
      { ...one, back: true },
      { ...other, back: false },
    ])
  })
})
