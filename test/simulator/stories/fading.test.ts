// A release is through when the traffic flows again: the edges that learnt the route are waited for, however the route was lifted.

import { afterEach, describe, expect, it } from 'vitest'
import { openShell } from '../client.ts'
import { type Child, kill, startChild } from './children.ts'
import { heldBack } from './held-back.ts'
import { trigger } from './networks.ts'
import { block, type Story, type StoryDevice, startStory, statusOn, suspend } from './story.ts'

const edge: StoryDevice = {
  name: 'edge1',
  routerId: '10.0.0.2',
  platform: 'frr',
  roles: ['edge'],
}
const inside = ['203.0.113.2/32', '203.0.113.4/32']
const route = (prefix: string) => `ip route ${prefix} blackhole tag 666`

let story: Story
let child: Child | undefined

afterEach(async () => {
  child?.process.kill('SIGKILL')
  child = undefined
  await story.end()
})

/** Between the devices nothing is told until the test says so: the edge hears of a route, and of its end, as late as that. */
const untold = heldBack()

async function startNetwork(
  router: StoryDevice = trigger,
  more: { readonly edge?: StoryDevice; readonly prefixes?: readonly string[] } = {},
): Promise<void> {
  story = await startStory({
    devices: [router, more.edge ?? edge],
    customers: `  esthost:
    name: Esthost
    prefixes: [${(more.prefixes ?? inside).join(', ')}]`,
    propagationMs: untold.ms,
    deviceClock: untold.clock,
    config: { observerDeadlineMs: 200 },
  })
}

const isPut = () => inside.every((one) => story.device('trigger1').running.includes(route(one)))
const isLifted = () => !story.device('trigger1').running.includes('blackhole tag')

async function enforced(): Promise<string> {
  const { id } = await story.decide(suspend('esthost'))
  await story.until('it is put there', isPut)
  untold.release()
  await story.reaches(id, 'enforced')
  return id
}

/** What is said of each route on the edge when it is read for as long as it may take, once the trigger has nothing of ours any more. */
async function edgeInTheEnd(id: string): Promise<readonly (string | undefined)[]> {
  const edgeNow = async () => {
    const { devices } = await story.enforcement(id)
    return devices.find(({ role }) => role === 'observer')
  }
  await story.until(
    'the trigger is through',
    async () => statusOn(await story.enforcement(id), 'trigger1') === 'verified',
  )
  await story.call('POST', `/v1/enforcements/${id}/retry`, { devices: ['edge1'] })
  await story.until('the edge is read', async () =>
    ['verified', 'failed'].includes((await edgeNow())?.status ?? ''),
  )
  return (await edgeNow())?.intents.map(({ outcome }) => outcome) ?? []
}

async function expectToWaitForTheEdge(id: string): Promise<void> {
  expect(await edgeInTheEnd(id)).toEqual(inside.map(() => 'failed'))
  expect(await discarded()).toEqual(inside)
  expect((await story.enforcement(id)).status).toBe('releasing')

  untold.release()
  await story.call('POST', `/v1/enforcements/${id}/retry`)
  const over = await story.reaches(id, 'released')

  expect(await discarded()).toEqual([])
  expect(statusOn(over, 'edge1', 'observer')).toBe('verified')
}

/** A block that comes to this, its release, and that it waits for as long as the edge was not told. */
async function expectToWaitUntilTold(prefix: string, status: string): Promise<void> {
  const { id } = await story.decide(block(prefix))
  const put = () => story.device('trigger1').running.includes(route(prefix))
  await story.until('it is put there', put)
  untold.release()
  await story.reaches(id, status)

  await story.release(id)
  await story.until('it is lifted', isLifted)
  expect(await edgeInTheEnd(id)).toEqual(['failed'])
  expect((await story.enforcement(id)).status).toBe('releasing')

  untold.release()
  await story.call('POST', `/v1/enforcements/${id}/retry`)
  await story.reaches(id, 'released')
}

/** What the edge still discards of the customer's. */
async function discarded(): Promise<readonly string[]> {
  const shell = await openShell(story.device('edge1'))
  await shell.expect(/# $/)
  const answers: string[] = []
  for (const prefix of inside) {
    answers.push(await shell.type(`show ip route ${prefix} json`, /\}\s*\n.*# $/))
  }
  shell.close()
  return inside.filter((_, at) => answers[at]?.includes('"blackhole"') === true)
}

const ways: readonly {
  readonly how: string
  readonly router?: StoryDevice
  readonly before: () => void
  readonly after?: (id: string) => void | Promise<void>
}[] = [
  {
    how: 'the session was cut behind the lines that lift it',
    before: () => {
      const matching = /^no ip route 203.0.113.4/
      story.device('trigger1').faults.add({ kind: 'disconnect', when: 'after', matching, times: 1 })
    },
  },
  {
    how: 'somebody had taken it away by hand',
    before: () => story.device('trigger1').setByHand(inside.map((one) => `no ${route(one)}`)),
  },
  {
    how: 'a reboot had forgotten it, as it was never saved',
    router: { ...trigger, says: 'save: never' },
    before: () => {
      story.device('trigger1').faults.add({ kind: 'off' })
      story.device('trigger1').reboot()
    },
    after: () => story.device('trigger1').faults.clear(),
  },
  {
    how: 'one of its routes went only with a second try',
    before: () => {
      const matching = /^no ip route 203.0.113.4/
      story.device('trigger1').faults.add({ kind: 'reject', matching, times: 1 })
    },
    after: async (id) => {
      const refused = async () => statusOn(await story.enforcement(id), 'trigger1') === 'refused'
      await story.until('it is refused', refused)
      await story.call('POST', `/v1/enforcements/${id}/retry`)
    },
  },
]

describe('a release', () => {
  it.each(ways)('is not through while the edge still discards: $how', async (way) => {
    await startNetwork(way.router)
    const id = await enforced()
    expect(await discarded()).toEqual(inside)

    way.before()
    await story.release(id)
    await way.after?.(id)

    await story.until('it is lifted', isLifted)
    await expectToWaitForTheEdge(id)
  })

  it('is not through while the edge still discards: all but the addresses of a route of its own', async () => {
    const prefix = '203.0.113.0/30'
    await startNetwork(trigger, {
      edge: {
        ...edge,
        ports: [{ name: 'eth1', description: 'esthost', addresses: ['198.51.100.1/24'] }],
        extra: ['ip route 203.0.113.1/32 198.51.100.5'],
      },
      prefixes: [prefix],
    })
    await expectToWaitUntilTold(prefix, 'degraded')
  })

  it('is not through while the edge still discards: beside a route of its own that waits behind the learnt one', async () => {
    const [prefix = ''] = inside
    await startNetwork(trigger, {
      edge: {
        ...edge,
        platform: 'cisco_ios',
        ports: [
          {
            name: 'GigabitEthernet0/1',
            description: 'esthost',
            addresses: ['198.51.100.1/24'],
          },
        ],
        extra: [
          'ip route 192.0.2.254 255.255.255.255 Null0',
          'ip route 203.0.113.2 255.255.255.255 198.51.100.5 250',
        ],
      },
      prefixes: [prefix],
    })
    await expectToWaitUntilTold(prefix, 'enforced')
    expect(story.device('edge1').running).toContain('198.51.100.5 250')
  })

  it('is not through while the edge still discards: the controller was killed before the read-back', async () => {
    await startNetwork()
    const router = story.device('trigger1')
    await story.stopController()
    child = await startChild(story)
    const { id } = await child.call('/v1/enforcements', suspend('esthost'))
    await story.until('it is put there', isPut)
    untold.release()
    await story.until('it is saved', () => router.startup.includes(route('203.0.113.4/32')))
    router.faults.add({ kind: 'hang', matching: /^end/, after: /^no ip route/ })

    await child.call(`/v1/enforcements/${id}/release`, { reason: 'resolved' })
    await story.until('it is lifted', isLifted)
    await kill(child)
    router.faults.clear()
    await story.startController()

    await expectToWaitForTheEdge(id)
  })
})
