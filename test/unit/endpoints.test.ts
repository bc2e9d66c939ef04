import { describe, expect, it } from 'vitest'
import { platforms } from '../../agent/platforms/index.ts'
import { type HeldDevice, renamedMachines, takenEndpoints } from '../../controller/endpoints.ts'
import type { Device, Jump } from '../../inventory/model.ts'
import { adr, device } from './small-isp.ts'

const jump = (id: string, address: string): Jump => ({
  id,
  address: adr(address),
  port: 22,
  username: 'netops',
  auth: { kind: 'agent' },
  knownHosts: '/dev/null',
})
const bastion = jump('bastion', '192.0.2.9')
const behind = device('old', '10.20.0.11', { jump: 'bastion' })
const held = (over: Partial<HeldDevice> = {}): HeldDevice => ({
  device: device('old', '10.20.0.11'),
  jump: undefined,
  enforcements: ['a', 'b'],
  ...over,
})
const inventory = (devices: readonly Device[], jumps: readonly Jump[] = []) => ({
  devices: new Map(devices.map((one) => [one.id, one])),
  jumps: new Map(jumps.map((one) => [one.id, one])),
})
const found = (devices: readonly Device[], holders: readonly HeldDevice[], jumps?: Jump[]) =>
  takenEndpoints(inventory(devices, jumps), holders, platforms).map(
    (one) => `${one.device} ${one.heldBy}`,
  )

describe('the endpoint of a device that holds something', () => {
  it('may not become that of another id, and the refusal says what holds and what to do', () => {
    const [taken] = takenEndpoints(inventory([device('new', '10.20.0.11')]), [held()], platforms)
    expect(taken).toMatchObject({ device: 'new', heldBy: 'old', enforcements: ['a', 'b'] })
    expect(taken?.message).toBe(
      'new is given 10.20.0.11 port 22, the endpoint of old, while nullroute holds something there (a, b): keep the id old for that machine until it is released, then rename it',
    )
  })

  it('is its own to keep, and another port, address or way is another machine', () => {
    const others = [
      device('old', '10.20.0.11'),
      device('n1', '10.20.0.11', { port: 2222 }),
      device('n2', '10.20.0.12'),
      device('n3', '10.20.0.11', { jump: 'bastion' }),
    ]
    expect(found(others, [held()], [bastion])).toEqual([])
  })

  it('is the same behind a jump host that was renamed, or that moved', () => {
    const holders = [held({ device: behind, jump: bastion })]
    const next = (way: string) => [device('new', '10.20.0.11', { jump: way })]
    expect(found(next('gate'), holders, [jump('gate', '192.0.2.9')])).toEqual(['new old'])
    expect(found(next('bastion'), holders, [jump('bastion', '192.0.2.10')])).toEqual(['new old'])
    expect(found(next('gate'), holders, [jump('gate', '192.0.2.10')])).toEqual([])
  })

  it('is taken also from a device that is listed with another address by now', () => {
    const swapped = [device('old', '10.20.0.12'), device('new', '10.20.0.11')]
    expect(found(swapped, [held()])).toEqual(['new old'])
  })

  it.each([
    ['frr', 'linux', []],
    ['linux', 'frr', []],
    ['linux', 'linux', ['new old']],
    ['frr', 'frr', ['new old']],
    ['juniper_junos', 'linux', ['new old']],
  ])('of a routing daemon is not that of the host below it: %s, then %s', (old, next, taken) => {
    const holders = [held({ device: device('old', '10.20.0.11', { platform: old }) })]
    expect(found([device('new', '10.20.0.11', { platform: next })], holders)).toEqual(taken)
  })

  it('that two ids hold already does not keep either from being released', () => {
    const both = [held(), held({ device: device('new', '10.20.0.11') })]
    expect(found([device('new', '10.20.0.11')], both)).toEqual([])
  })
})

describe('a device that leaves while it holds something', () => {
  const old = device('old', '10.20.0.11', { loopbacks: [adr('192.0.2.11')] })
  const renamed = (next: readonly Device[], holder: HeldDevice, before: readonly string[] = []) =>
    renamedMachines(inventory(next), [holder], { before: new Set(['old', ...before]), platforms })

  it.each([
    ['at another port', device('new', '10.20.0.11', { port: 2222 })],
    ['by another way', device('new', '10.20.0.11', { jump: 'bastion' })],
    ['at its loopback address', device('new', '192.0.2.11')],
    ['with the same loopback address', device('new', '10.20.0.12', { loopbacks: old.loopbacks })],
  ])('may not come back under another id %s', (_, next) => {
    const [taken] = renamed([next], held({ device: old }))
    expect(taken).toMatchObject({ device: 'new', heldBy: 'old', enforcements: ['a', 'b'] })
    expect(taken?.message).toContain('keep the id old for that machine until it is released')
  })

  it('may not come back without its jump host', () => {
    const holder = held({ device: behind, jump: bastion })
    expect(renamed([device('new', '10.20.0.11')], holder)).toHaveLength(1)
  })

  it('is another machine than one that was there before, that has no address of it, or that is the host below it', () => {
    const holder = held({ device: old })
    expect(renamed([device('n1', '10.20.0.11', { port: 2222 })], holder, ['n1'])).toEqual([])
    expect(renamed([device('n2', '10.20.0.12')], holder)).toEqual([])
    expect(renamed([old, device('n3', '10.20.0.11', { port: 2222 })], holder)).toEqual([])
    const host = device('n4', '10.20.0.11', { platform: 'linux' })
    const daemon = held({ device: { ...old, platform: 'frr' } })
    expect(renamed([host], daemon)).toEqual([])
  })
})
