// What a trigger blackholes is discarded at the edges a moment later, each showing it in its own words.

import { afterEach, describe, expect, it } from 'vitest'
import { openShell, startDialogue } from './client.ts'
import { type Simulator, startSimulator } from './simulator.ts'
import type { SimulatedDevice, SimulatedPlatform } from './spec.ts'

const edges: readonly SimulatedDevice[] = (
  ['frr', 'cisco_ios', 'juniper_junos', 'linux'] as const
).map((platform, at) => ({
  name: `edge-${platform.replace('_', '-')}`,
  platform,
  roles: ['edge'],
  routerId: `192.0.2.${100 + at}`,
}))

const triggers: Record<SimulatedPlatform, { on: string; off: string }> = {
  frr: {
    on: 'ip route 203.0.113.9/32 blackhole tag 666',
    off: 'no ip route 203.0.113.9/32 blackhole tag 666',
  },
  cisco_ios: {
    on: 'ip route 203.0.113.9 255.255.255.255 Null0 tag 666',
    off: 'no ip route 203.0.113.9 255.255.255.255 Null0 tag 666',
  },
  juniper_junos: {
    on: 'set routing-options static route 203.0.113.9/32 discard tag 666',
    off: 'delete routing-options static route 203.0.113.9/32',
  },
  linux: {
    on: 'ip route add blackhole 203.0.113.9/32 proto 223',
    off: 'ip route del blackhole 203.0.113.9/32 proto 223',
  },
}

const shows: Record<SimulatedPlatform, { prompt: RegExp; line: string; discards: RegExp }> = {
  frr: {
    prompt: /[\w-]+# $/,
    line: 'show ip route 203.0.113.9/32 json',
    discards: /"protocol":"bgp"[^]*"recursive":true[^]*"blackhole":true/,
  },
  cisco_ios: {
    prompt: /#$/,
    line: 'show ip cef 203.0.113.9/32',
    discards: /recursive via 192\.0\.2\.254\n {4}attached to Null0/,
  },
  juniper_junos: {
    prompt: /> $/,
    line: 'show route 203.0.113.9/32 exact | no-more',
    discards: /\*\[BGP\/170\][^]*Discard/,
  },
  linux: {
    prompt: /# $/,
    line: 'ip -4 route show type blackhole',
    discards: /^blackhole 203\.0\.113\.9 proto bgp metric 20/m,
  },
}

let simulator: Simulator | undefined

afterEach(async () => {
  await simulator?.stop()
  simulator = undefined
})

describe.each(Object.keys(triggers) as SimulatedPlatform[])(
  'a trigger of platform %s',
  (platform) => {
    it('is heard by every edge, and unheard when the route is gone', async () => {
      const network = await startSimulator({
        devices: [{ name: 'trigger', platform, roles: ['rtbh-trigger'] }, ...edges],
        propagationMs: 5,
      })
      simulator = network
      const asked = await Promise.all(
        edges.map(async (edge) => {
          const { prompt, line, discards } = shows[edge.platform]
          const dialogue = await startDialogue(await openShell(network.device(edge.name)), prompt)
          return async () => discards.test(await dialogue.ask(line))
        }),
      )
      const heard = async (): Promise<boolean[]> => {
        const answers: boolean[] = []
        for (const ask of asked) answers.push(await ask())
        return answers
      }

      const before = await heard()
      network.device('trigger').setByHand([triggers[platform].on])
      await expect.poll(heard).toEqual([true, true, true, true])
      network.device('trigger').setByHand([triggers[platform].off])
      await expect.poll(heard).toEqual([false, false, false, false])

      expect(before).toEqual([false, false, false, false])
    })
  },
)

describe('an edge', () => {
  it('discards nothing whose next hop it does not discard itself', async () => {
    simulator = await startSimulator({
      devices: [
        { name: 'trigger', platform: 'frr', roles: ['rtbh-trigger'] },
        { name: 'good', platform: 'frr', roles: ['edge'] },
        { name: 'bare', platform: 'frr', roles: ['edge'], prepared: false },
      ],
      propagationMs: 5,
    })
    const { prompt, line, discards } = shows.frr
    const good = await startDialogue(await openShell(simulator.device('good')), prompt)
    const bare = await startDialogue(await openShell(simulator.device('bare')), prompt)

    simulator.device('trigger').setByHand([triggers.frr.on])
    await expect.poll(() => good.ask(line)).toMatch(discards)

    expect(await bare.ask(line)).toBe('{}\n')
  })

  it.each(edges)('is told anew what it has forgotten at a start: $platform', async (edge) => {
    const network = await startSimulator({
      devices: [{ name: 'trigger', platform: 'frr', roles: ['rtbh-trigger'] }, edge],
      propagationMs: 5,
    })
    simulator = network
    const { prompt, line, discards } = shows[edge.platform]
    const ask = async (): Promise<string> => {
      const dialogue = await startDialogue(await openShell(network.device(edge.name)), prompt)
      return dialogue.ask(line)
    }
    network.device('trigger').setByHand([triggers.frr.on])
    await expect.poll(ask).toMatch(discards)

    network.device(edge.name).reboot()
    await expect.poll(ask).toMatch(discards)
  })

  it('hears nothing of a route without the tag', async () => {
    simulator = await startSimulator({
      devices: [
        { name: 'trigger', platform: 'frr', roles: ['rtbh-trigger'] },
        { name: 'good', platform: 'frr', roles: ['edge'] },
      ],
      propagationMs: 5,
    })
    const { prompt, line, discards } = shows.frr
    const good = await startDialogue(await openShell(simulator.device('good')), prompt)

    simulator.device('trigger').setByHand(['ip route 203.0.113.10/32 blackhole', triggers.frr.on])
    await expect.poll(() => good.ask(line)).toMatch(discards)

    expect(await good.ask('show ip route 203.0.113.10/32 json')).toBe('{}\n')
  })
})
