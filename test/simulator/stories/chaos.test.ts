import { afterEach, describe, expect, it } from 'vitest'
import type { Fault } from '../faults.ts'
import type { SimulatedPlatform } from '../spec.ts'
import { edge, routesOnly, trigger } from './networks.ts'
import { type Story, startStory, suspend } from './story.ts'

let story: Story

afterEach(() => story.end())

const names = Array.from({ length: 6 }, (_, at) => `customer-${at}`)
const customers = names
  .map(
    (name, at) =>
      `  ${name}: { name: C${at}, prefixes: [203.0.113.${at * 8 + 8}/29, "2001:db8:${at}::/48"] }`,
  )
  .join('\n')

/** The cable is pulled before or after the n-th line was done, and output comes in pieces. */
const faults: readonly Fault[] = [
  { kind: 'disconnect', when: 'before', line: 9 },
  { kind: 'disconnect', when: 'after', line: 27 },
  { kind: 'split', bytes: 7, times: 60 },
]

describe.each<SimulatedPlatform>(['frr', 'cisco_ios', 'juniper_junos', 'linux'])(
  'pulling the cable of %s',
  (platform) => {
    it('while customers come and go ends with what is wanted, and then with what was there', async () => {
      story = await startStory({
        devices: [{ ...trigger, platform }, edge],
        customers,
        playbooks: { suspend: routesOnly('suspend') },
        minuteMs: 200,
      })
      const router = story.device('trigger1')
      const before = [router.running, router.startup]
      for (const fault of faults) router.faults.add(fault)
      const made = await Promise.all(names.map((name) => story.decide(suspend(name))))
      const [kept, ...others] = made
      await Promise.all(others.slice(0, 2).map(({ id }) => story.release(id)))
      await Promise.all(others.slice(2).map(({ id }) => story.reaches(id, 'enforced')))
      for (const fault of faults) router.faults.add(fault)
      await Promise.all(others.map(({ id }) => story.release(id)))
      await Promise.all(others.map(({ id }) => story.reaches(id, 'released')))
      await story.reaches(kept?.id ?? '', 'enforced')
      expect(router.running).toMatch(/203\.0\.113\.8[/ ]/)
      expect(router.running).not.toMatch(/203\.0\.113\.(16|24|32|40|48)[/ ]/)
      router.faults.clear()
      await story.release(kept?.id ?? '')
      await story.reaches(kept?.id ?? '', 'released')
      await story.quiet()
      expect([router.running, router.startup]).toEqual(before)
    })
  },
)
