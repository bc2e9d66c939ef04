// The product on real routers: what the internet can reach, and what the devices are left with.

import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import {
  answers,
  ask,
  type Control,
  drops,
  inside,
  isAsBefore,
  keepPinging,
  script,
  snapshot,
  startControl,
  until,
} from './lab.ts'

const esthost = ['203.0.113.10', '2001:db8:e57::10']
const bystander = ['203.0.113.20', '2001:db8:e57::20']
const bgpcust = ['192.0.2.129', '2001:db8:b09::1']
const edges = ['edge1', 'edge2']
const reason = { category: 'phishing', summary: '42 kits', ticket: 'ABUSE-2041' }

let control: Control
let before: Readonly<Record<string, string>>

const everyone = [...esthost, ...bystander, ...bgpcust]

async function allAnswer(addresses: readonly string[], ms = 30_000): Promise<void> {
  for (const address of addresses) await until(`${address} answers`, () => answers(address), ms)
}

async function noneAnswers(addresses: readonly string[]): Promise<void> {
  for (const address of addresses) expect(await answers(address), address).toBe(false)
}

beforeEach(async () => {
  // A test that failed in the middle leaves a lab in which nothing can be told any more.
  const isFresh = await allAnswer(everyone, 10_000).then(
    () => true,
    () => false,
  )
  if (!isFresh) {
    await script('down')
    await script('up')
  }
  before = await snapshot()
  control = await startControl()
})

afterEach(async () => {
  await control.stop()
})

async function suspend(customer = 'esthost') {
  const body = { action: 'suspend', subject: { customer }, reason }
  return control.api('POST', '/v1/enforcements', body)
}

async function release(id: string, as: 'abuse' | 'admin' = 'abuse') {
  await control.api('POST', `/v1/enforcements/${id}/release`, { reason: 'resolved' }, as)
  return control.reaches(id, 'released')
}

describe('suspending a host', () => {
  it('stops its addresses in both families, misses no reply of its neighbour, and a release brings all back', async () => {
    const pings = bystander.map((address) => keepPinging(address))
    const { id } = await suspend()
    const enforced = await control.reaches(id, 'enforced')
    for (const edge of edges) {
      for (const address of esthost)
        expect(await drops(edge, address), `${edge} ${address}`).toBe(true)
    }
    await noneAnswers(esthost)
    expect((await inside('sw1', 'ip', '-br', 'link', 'show', 'dev', 'p1')).text).toContain('DOWN')
    expect(
      enforced.devices.map(({ device, role, status }) => `${device} ${role} ${status}`).sort(),
    ).toEqual([
      // FRR has no packet filter; the measure is optional, and the result says so.
      'edge1 enforcer unsupported',
      'edge1 observer verified',
      'edge2 enforcer unsupported',
      'edge2 observer verified',
      'sw1 enforcer verified',
      'trigger1 enforcer verified',
    ])
    await release(id)
    await allAnswer(esthost)
    for (const one of pings) {
      const { replies, missing } = await one.stop()
      expect(missing).toEqual([])
      expect(replies).toBeGreaterThan(10)
    }
    await isAsBefore(before)
  })

  it('is not enforced while one edge has not learnt the route, and becomes so by itself', async () => {
    await inside('core', 'ip', 'link', 'set', 'edge2', 'down')
    const { id } = await suspend()
    const degraded = await control.reaches(id, 'degraded')
    const edge2 = degraded.devices.find(({ device }) => device === 'edge2')
    expect(edge2?.status).not.toBe('verified')
    expect(await drops('edge1', '203.0.113.10')).toBe(true)
    expect(await drops('edge2', '203.0.113.10')).toBe(false)
    await inside('core', 'ip', 'link', 'set', 'edge2', 'up')
    await control.reaches(id, 'enforced', 100_000)
    expect(await drops('edge2', '203.0.113.10')).toBe(true)
    await release(id)
    await allAnswer(esthost)
    await isAsBefore(before)
  })

  it('on a trigger that is off says so, and becomes enforced by itself when it is back', async () => {
    await script('stop', 'trigger1')
    const { id } = await suspend()
    const degraded = await control.reaches(id, 'degraded', 90_000)
    const trigger = degraded.devices.find(({ device }) => device === 'trigger1')
    expect(trigger?.status).toBe('unreachable')
    await script('start', 'trigger1')
    await control.reaches(id, 'enforced', 110_000)
    await noneAnswers(esthost)
    await release(id)
    await allAnswer(esthost)
    await isAsBefore(before)
  })
})

describe('terminating a customer with BGP', () => {
  it('takes its sessions down, with the reason on its own router, once a second person has approved', async () => {
    const body = { action: 'terminate', subject: { customer: 'bgpcust' }, reason }
    const asked = await control.api('POST', '/v1/enforcements', body)
    expect(asked.status).toBe('awaiting_approval')
    await allAnswer(bgpcust)
    const { digest } = await control.api('GET', `/v1/enforcements/${asked.id}`)
    await control.api('POST', `/v1/enforcements/${asked.id}/approve`, { digest }, 'approver')
    await control.reaches(asked.id, 'enforced')
    for (const peer of ['192.0.2.41', '192.0.2.45', '2001:db8:0:9::1']) {
      const state = await until('the message has come', async () => {
        const text = await ask('bgpcust', `show bgp neighbors ${peer} json`)
        return text.includes('lastShutdownDescription') && text
      })
      expect(state).toMatch(/"lastShutdownDescription":"Terminated ABUSE-2041/)
      expect(state).not.toMatch(/"bgpState":"Established"/)
    }
    await noneAnswers(bgpcust)
    await allAnswer([...esthost, ...bystander])
    await release(asked.id, 'admin')
    await allAnswer(bgpcust)
    await isAsBefore(before)
  })
})

describe('two enforcements on one customer', () => {
  it.each([
    ['the wider first', 0],
    ['the narrower first', 1],
  ])('released %s, leave exactly what the other wants', async (_, first) => {
    const wide = await suspend()
    const block = { action: 'block', subject: { prefix: '203.0.113.10' }, reason }
    const narrow = await control.api('POST', '/v1/enforcements', block)
    for (const { id } of [wide, narrow]) await control.reaches(id, 'enforced')
    const routes = async () =>
      (await ask('trigger1', 'show running-config'))
        .split('\n')
        .filter((line) => line.includes(' tag 666') && line.includes('route '))
    const wideLines = [
      'ip route 203.0.113.8/29 blackhole tag 666',
      'ipv6 route 2001:db8:e57::10/124 blackhole tag 666',
    ]
    const narrowLine = 'ip route 203.0.113.10/32 blackhole tag 666'
    expect((await routes()).sort()).toEqual([narrowLine, ...wideLines].sort())
    const order = first === 0 ? [wide, narrow] : [narrow, wide]
    await release(order[0]!.id)
    expect((await routes()).sort()).toEqual(first === 0 ? [narrowLine] : wideLines)
    expect(await answers('203.0.113.10')).toBe(false)
    await release(order[1]!.id)
    await allAnswer(esthost)
    await isAsBefore(before)
  })

  it('on the very same prefix, the object goes with the last', async () => {
    const wide = await suspend()
    const block = { action: 'block', subject: { prefix: '203.0.113.8/29' }, reason }
    const same = await control.api('POST', '/v1/enforcements', block)
    for (const { id } of [wide, same]) await control.reaches(id, 'enforced')
    await release(wide.id)
    expect(await answers('203.0.113.10')).toBe(false)
    for (const edge of edges) expect(await drops(edge, '203.0.113.10')).toBe(true)
    await release(same.id)
    await allAnswer(esthost)
    await isAsBefore(before)
  })
})
