// What is left behind on devices, as the API and the metrics tell it: what is ours and wanted by nobody, and what has no claim.

import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Claim } from '../../agent/diff.ts'
import type { KeyState } from '../../agent/journal.ts'
import type { DeviceView, StatusView } from '../../controller/api/schema.ts'
import type { Status } from '../../controller/enforcement.ts'
import type { DeviceState, Wanted } from '../../controller/store/store.ts'
import { createWorld, type World } from './api-world.ts'

let world: World
let asked: Wanted

beforeEach(async () => {
  world = await createWorld()
})
afterEach(() => world.close())

/** An enforcement that has come so far, and what it asks of trigger1. */
async function decided(status: Status): Promise<void> {
  const { id } = await world.enforcement(status)
  const [row] = world.store.read((rows) => rows.wanted({ enforcement: id }))
  if (row === undefined) throw new Error('nothing is asked of a device')
  asked = row
}

/** The device shows that object so, with a claim on it unless told otherwise. */
async function shows(state: Partial<KeyState>, claimed = true): Promise<void> {
  const { device, key, intent } = asked
  const wrote = ['ip route 203.0.113.0/26 blackhole tag 666']
  const claim: Claim = { key, intent, before: [], wrote, phase: 'lifting', step: 1 }
  const shown: KeyState = {
    key,
    kind: intent.kind,
    outcome: 'refused',
    seen: 'present',
    verified: false,
    ...state,
  }
  await world.store.commit((tx) => {
    if (claimed) tx.putClaim(device, claim)
    tx.putDevice(known({ device, states: [shown] }))
  })
}

function known(part: Partial<DeviceState>): DeviceState {
  return {
    device: 'trigger1',
    state: 'up',
    unsaved: false,
    step: 1,
    states: [],
    orphans: [],
    ...part,
  }
}

async function forEye(): Promise<StatusView['devices']> {
  return (await world.ask('auditor', { url: '/v1/status' })).json<StatusView>().devices
}

async function unwanted(): Promise<readonly string[]> {
  const answer = await world.ask('auditor', { url: '/v1/devices/trigger1' })
  return answer.json<DeviceView>().unwanted
}

async function metric(name: string): Promise<string | undefined> {
  const text = (await world.ask('auditor', { url: '/metrics' })).body
  return text.split('\n').find((line) => line.startsWith(`${name} `))
}

describe('what is ours and wanted by nobody', () => {
  it.each(['present', 'unknown'] as const)(
    'is told by status, device and metrics once its enforcement has ended, seen %s',
    async (seen) => {
      await decided('released')
      await shows({ seen })

      expect(await unwanted()).toEqual([asked.key])
      expect(await forEye()).toEqual([
        { id: 'trigger1', state: 'up', unsaved: false, unwanted: 1, orphans: 0 },
      ])
      expect(await metric('nullroute_unwanted_objects')).toBe('nullroute_unwanted_objects 1')
    },
  )

  it('is told of what is asked only by what waits for approval', async () => {
    await decided('awaiting_approval')
    await shows({})

    expect(await unwanted()).toEqual([asked.key])
  })

  it.each(['enforcing', 'degraded', 'releasing'] as const)(
    'is not what an enforcement that is %s answers for',
    async (status) => {
      await decided(status)
      await shows({})

      expect([await unwanted(), await forEye()]).toEqual([[], []])
    },
  )

  it.each([
    ['is gone', { seen: 'absent' }],
    ['is somebody else’s by now', { seen: 'foreign' }],
    ['stays for another, as it should', { verified: true }],
  ] as const)('is not what %s', async (_, state) => {
    await decided('released')
    await shows(state)

    expect([await unwanted(), await forEye()]).toEqual([[], []])
    expect(await metric('nullroute_unwanted_objects')).toBe('nullroute_unwanted_objects 0')
  })

  it('is not what nothing claims', async () => {
    await decided('released')
    await shows({}, false)

    expect([await unwanted(), await forEye()]).toEqual([[], []])
  })
})

describe('orphans', () => {
  const orphansOn = ({ key }: Wanted): DeviceState['orphans'] => [
    { key, object: ['ip route 203.0.113.0/26 blackhole tag 666'] },
  ]

  it('are told by status and metrics, with the device and their number', async () => {
    await decided('released')
    await world.store.commit((tx) => tx.putDevice(known({ orphans: orphansOn(asked) })))

    expect(await forEye()).toEqual([
      { id: 'trigger1', state: 'up', unsaved: false, unwanted: 0, orphans: 1 },
    ])
    expect(await metric('nullroute_orphans')).toBe('nullroute_orphans 1')
  })

  it('are not told of a device that is in no inventory any more', async () => {
    await decided('released')
    const gone = known({ device: 'gone', orphans: orphansOn(asked) })
    await world.store.commit((tx) => tx.putDevice(gone))

    expect(await forEye()).toEqual([])
    expect(await metric('nullroute_orphans')).toBe('nullroute_orphans 0')
  })
})
