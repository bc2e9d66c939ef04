import { describe, expect, it } from 'vitest'
import type { Claim } from '../../agent/diff.ts'
import { keyOf } from '../../agent/intents.ts'
import {
  type ConflictInput,
  conflictsOf,
  newConflicts,
  refusedDeviceChanges,
} from '../../controller/conflicts.ts'
import { createLookup } from '../../inventory/lookup.ts'
import type { Inventory } from '../../inventory/model.ts'
import { neverCut } from '../../inventory/never-cut.ts'
import {
  acl,
  adr,
  blackhole,
  compiled,
  customer,
  device,
  enforcement,
  isp,
  neighbor,
  pfx,
  port,
  prt,
  want,
} from './small-isp.ts'

const host = blackhole('203.0.113.9/32')
const rows = [
  want('a', 'trigger1', host),
  want('a', 'sw1', port('p1')),
  want('a', 'edge1', neighbor('192.0.2.9')),
]
const frozen = compiled({
  intents: rows.map(({ device: id, intent }) => ({
    device: id,
    intent,
    observer: false,
    optional: false,
  })),
  prefixes: [pfx('203.0.113.9/32')],
  ports: [{ device: 'sw1', port: prt('p1') }],
  neighbors: [{ device: 'edge1', peer: adr('192.0.2.9'), vrf: 'default' }],
})

function after(inventory: Inventory, change: Partial<ConflictInput> = {}) {
  return conflictsOf({
    enforcement: enforcement('a'),
    wanted: rows,
    before: isp(),
    after: inventory,
    lookup: createLookup(inventory),
    neverCut: neverCut(inventory, []),
    anew: frozen,
    ...change,
  })
}
const withEsthost = (prefixes: readonly string[], rest = {}) =>
  isp({
    customers: new Map([
      [
        'esthost',
        customer('esthost', prefixes, {
          ...isp().customers.get('esthost'),
          prefixes: customer('x', prefixes).prefixes,
          ...rest,
        }),
      ],
    ]),
  })
const without = (id: string) =>
  isp({ devices: new Map([...isp().devices].filter(([each]) => each !== id)) })
const changed = (id: string, rest: Parameters<typeof device>[2]) => {
  const old = isp().devices.get(id)
  if (old === undefined) throw new Error(id)
  return isp({ devices: new Map(isp().devices).set(id, { ...old, ...rest }) })
}

describe('a reload', () => {
  it('that changes nothing about what is in force has no conflict', () => {
    expect(after(isp())).toEqual([])
  })

  it('reports what was taken away from the customer, and whose it is now', () => {
    expect(after(withEsthost(['203.0.113.32/27']))).toEqual([
      { kind: 'taken_away', object: '203.0.113.9/32' },
    ])
    expect(after(withEsthost(['203.0.113.0/26'], { ports: [], neighbors: [] }))).toEqual([
      { kind: 'taken_away', object: 'port p1 of sw1' },
      { kind: 'taken_away', object: 'neighbor 192.0.2.9 of edge1' },
    ])
    const sold = isp({
      customers: new Map([['newcomer', customer('newcomer', ['203.0.113.0/24'])]]),
    })
    expect(after(sold)[0]).toEqual({ kind: 'taken_away', object: '203.0.113.9/32 (newcomer)' })
  })

  it('reports what the customer got since, but not parts of what is in force', () => {
    const more = {
      ...frozen,
      prefixes: [pfx('203.0.113.9/32'), pfx('198.51.100.0/28')],
      ports: [...frozen.ports, { device: 'sw1', port: prt('p7') }],
    }

    expect(after(isp(), { anew: more })).toEqual([
      { kind: 'added', object: '198.51.100.0/28' },
      { kind: 'added', object: 'port p7 of sw1' },
    ])
    expect(after(isp(), { wanted: [...rows, want('a', 'edge1', acl('203.0.113.8/29'))] })).toEqual(
      [],
    )
    expect(after(isp(), { anew: undefined })).toEqual([])
  })

  it('is told of a prefix that the customer has in another routing table now', () => {
    const moved = withEsthost([], { prefixes: [{ prefix: pfx('203.0.113.0/26'), vrf: 'red' }] })
    expect(after(moved)).toEqual([
      { kind: 'taken_away', object: '203.0.113.9/32 (no more in vrf default)' },
    ])
  })

  it('stays told where it can’t be said anew, since its playbook is another by now: nobody has put it right', () => {
    const conflicts = [
      { kind: 'added', object: '203.0.113.10/32' },
      { kind: 'new_device', object: 'trigger2' },
      { kind: 'taken_away', object: '203.0.113.9/32' },
    ] as const
    const told = { enforcement: enforcement('a', { conflicts }), anew: undefined }

    // What was taken away is there again, and that can be said.
    expect(after(isp(), told)).toEqual(conflicts.slice(0, 2))
  })

  it('reports what became protected, or a gateway, under what is in force', () => {
    expect(after(isp({ protected: [{ prefix: pfx('203.0.113.8/29'), why: 'office' }] }))).toEqual([
      { kind: 'now_protected', object: '203.0.113.9/32 (203.0.113.8/29, office)' },
    ])
    expect(after(changed('edge2', { gateways: [adr('203.0.113.9')] }))).toEqual([
      { kind: 'now_protected', object: '203.0.113.9/32 (203.0.113.9, gateway of edge2)' },
    ])
  })

  it('reports devices that are gone, changed or new', () => {
    expect(after(without('trigger1'))).toEqual([{ kind: 'device_gone', object: 'trigger1' }])
    expect(after(changed('trigger1', { address: adr('10.20.0.99') }))).toEqual([
      { kind: 'device_changed', object: 'trigger1: address 10.20.0.12 → 10.20.0.99' },
    ])
    const anew = {
      ...frozen,
      intents: [
        ...frozen.intents,
        { device: 'trigger2', intent: host, observer: false, optional: false },
      ],
    }
    expect(after(isp(), { anew })).toEqual([{ kind: 'new_device', object: 'trigger2' }])
  })

  it('keeps a changed device in mind when later reloads no longer see the difference', () => {
    const known = [
      { kind: 'device_changed', object: 'trigger1: address 10.20.0.12 → 10.20.0.99' },
    ] as const

    expect(after(isp(), { enforcement: enforcement('a', { conflicts: known }) })).toEqual(known)
  })

  it('makes a record for what is new only', () => {
    const one = { kind: 'device_gone', object: 'trigger1' } as const
    const other = { kind: 'device_gone', object: 'sw1' } as const

    expect(newConflicts([one], [one, other])).toEqual([other])
  })
})

describe('a device that holds something of ours', () => {
  const claim: Claim = {
    key: keyOf(host),
    intent: host,
    before: [],
    wrote: [],
    phase: 'held',
    step: 1,
  }
  const claims = new Map([['trigger1', [claim]]])
  const about = (inventory: Inventory, held = claims) =>
    refusedDeviceChanges({
      before: isp().devices,
      after: inventory.devices,
      claims: held,
      live: [enforcement('a'), enforcement('b', { status: 'awaiting_approval' })],
      wanted: [...rows, want('b', 'trigger1', host)],
    })

  it.each([
    ['platform', { platform: 'other' }],
    ['address', { address: adr('10.20.0.99') }],
    ['port', { port: 2222 }],
  ] as const)('may not change its %s, and the refusal names the enforcements', (field, change) => {
    const refusals = about(changed('trigger1', change))

    expect(refusals).toMatchObject([{ device: 'trigger1', field, enforcements: ['a'] }])
    expect(refusals[0]?.message).toContain('release it first')
  })

  it('may change anything else, and anything once nothing is held there', () => {
    expect(about(changed('trigger1', { site: 'ams', roles: [], save: 'never' }))).toEqual([])
    expect(about(changed('trigger1', { platform: 'other' }), new Map())).toEqual([])
    expect(about(changed('edge1', { platform: 'other' }))).toEqual([])
  })
})
