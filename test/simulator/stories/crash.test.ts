import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { EnforcementView } from '../../../controller/api/schema.ts'
import type { Fault } from '../faults.ts'
import { type Child, kill, startChild } from './children.ts'
import { village } from './networks.ts'
import { type Story, startStory, suspend } from './story.ts'

let story: Story
let children: Child[]

beforeEach(async () => {
  children = []
  story = await startStory(village)
  await story.stopController()
})

afterEach(async () => {
  for (const child of children) child.process.kill('SIGKILL')
  await story.end()
})

async function start(): Promise<Child> {
  const child = await startChild(story)
  children.push(child)
  return child
}

/** The request that the killed one had accepted, sent to the new one. */
async function replay(token: string, body: object): Promise<object> {
  const path = '/v1/enforcements'
  const headers = {
    authorization: `Bearer ${token}`,
    'content-type': 'application/json',
    'idempotency-key': path,
  }
  const sent = { method: 'POST', headers, body: JSON.stringify(body) }
  const response = await fetch(`${story.running.url}${path}`, sent)
  const { id } = (await response.json()) as EnforcementView
  return { id, replayed: response.headers.get('idempotent-replayed') }
}

const received = (device: string, text: RegExp) => () =>
  story
    .device(device)
    .journal.lines()
    .some((line) => text.test(line))

/** Intended steps of a device, and those with an end. */
function steps(device: string): {
  readonly intended: readonly unknown[]
  readonly done: readonly unknown[]
} {
  const of = (type: string) => story.records({ type, device }).map(({ data }) => data['step'])
  return {
    intended: [...new Set(of('device.commands_intended'))],
    done: [...new Set(of('device.commands_done'))],
  }
}

function routes(): readonly string[] {
  return story
    .device('trigger1')
    .running.split('\n')
    .filter((line) => line.includes(' tag 666') && line.includes('route '))
}

/** Two of all the moments that there are: `npm run test:crash` kills before and after each durable step. */
const moments: readonly {
  readonly when: string
  readonly device: string
  readonly fault: Fault
  /** What the device has received when the process is killed; nothing where it was never reached. */
  readonly seen?: RegExp
  readonly closed: boolean
}[] = [
  {
    when: 'accepted, and no device was reached',
    device: 'trigger1',
    fault: { kind: 'refuse-login' },
    closed: false,
  },
  {
    when: 'in the middle of the lines',
    device: 'trigger1',
    fault: { kind: 'hang', matching: '^ip route 203.0.113.0/32 black' },
    seen: /^ip route 203.0.113.0\/32 black/,
    closed: true,
  },
]

describe('a controller that is killed', () => {
  it.each(moments)('goes on and ends right when it was $when', async (moment) => {
    const router = story.device(moment.device)
    const before = router.running
    router.faults.add(moment.fault)
    const child = await start()
    const { id } = await child.call('/v1/enforcements', suspend('esthost'))
    if (moment.seen !== undefined)
      await story.until(moment.when, received(moment.device, moment.seen))
    await kill(child)
    router.faults.clear()
    await story.startController()
    const again = await replay(child.token, suspend('esthost'))
    expect(again).toEqual({ id, replayed: 'true' })
    await story.reaches(id, 'enforced')
    await story.quiet()
    expect(story.records({ type: 'enforcement.requested' })).toHaveLength(1)
    expect(routes()).toHaveLength(3)
    expect(router.startup).toBe(router.running)
    const { intended, done } = steps(moment.device)
    expect(done).toEqual(intended)
    const unknown = story
      .records({ type: 'device.commands_done' })
      .filter(({ outcome }) => outcome === 'unknown')
    expect(unknown.length > 0).toBe(moment.closed)
    await story.release(id)
    await story.reaches(id, 'released')
    expect(router.running).toBe(before)
  })

  it('goes on with a release in whose middle it was killed', async () => {
    const router = story.device('trigger1')
    const before = router.running
    router.faults.add({ kind: 'hang', matching: '^no ip route 203.0.113.2/31' })
    const child = await start()
    const { id } = await child.call('/v1/enforcements', suspend('esthost'))
    await story.until('it is saved', received('sw1', /state\.d/))
    await child.call(`/v1/enforcements/${id}/release`, { reason: 'resolved' })
    await story.until('it lifts', received('trigger1', /^no ip route 203.0.113.2\/31/))
    await kill(child)
    router.faults.clear()
    await story.startController()
    await story.reaches(id, 'released')
    await story.quiet()
    expect(router.running).toBe(before)
    expect(router.startup).toBe(before)
  })
})
