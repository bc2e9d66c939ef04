// What the store keeps in memory says what the tables say: after changes that were undone, beside another process, and across a restart.

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createKeptRows } from '../../controller/store/kept-rows.ts'
import type { DeviceState, Result, Store, TokenRow } from '../../controller/store/store.ts'
import { verifyData } from '../../controller/store/verify.ts'
import type { Tally } from '../../controller/tally.ts'
import { enforcement, newFolder, open, started, wanted } from './parts.ts'

const now = '2026-11-23T23:45:00.000Z'
const live = (store: Store) => store.read((rows) => rows.live()).map(({ id }) => id)
const theirs = (store: Store, customer: string) =>
  store.read((rows) => rows.live({ customer })).map(({ id }) => id)
const usage = (store: Store, at = now) =>
  store.read((rows) => {
    const { customers, ...sums } = rows.usage(at)
    return { ...sums, customers: customers.size }
  })

const token: TokenRow = {
  id: 'T1',
  name: 'desk',
  person: 'desk',
  roles: ['abuse'],
  sha256: 'c'.repeat(64),
  createdAt: now,
}

const devices = ['edge1', 'edge2', 'edge3']

const step = fc.record({
  what: fc.constantFrom('accept', 'result', 'result', 'end'),
  undone: fc.constantFrom(true, false, false, false),
  read: fc.boolean(),
  device: fc.constantFrom(...devices),
  role: fc.constantFrom('enforcer', 'observer'),
  status: fc.constantFrom('pending', 'verified', 'failed'),
  pick: fc.nat(9),
})

function resultOf(
  enforcement: string,
  device: string,
  role: Result['role'],
  status: Result['status'],
): Result {
  return { enforcement, device, role, status, states: [], attempts: 0 }
}

function countsOf(tally: Tally): readonly number[] {
  const { last } = tally
  const roles = ['enforcer', 'observer'] as const
  const open = roles.flatMap((role) => [tally.undone(role, last), tally.awaited(role, last)])
  return [last, tally.missing(), tally.failed(), ...open]
}

describe('what is kept in memory', () => {
  it('is what the tables say, also inside the change that wrote it', async () => {
    const store = open({ dir: newFolder() })
    expect(live(store)).toEqual([])
    expect(usage(store).decisions).toBe(0)

    const inside = await store.commit((tx) => {
      tx.insertEnforcement(enforcement('E1'), [wanted('E1', 'edge1')])
      tx.insertEnforcement(enforcement('E2', { customer: 'other', status: 'rejected' }), [])
      tx.insertEnforcement(enforcement('E3', { customer: 'other' }), [])
      return [tx.live().map(({ id }) => id), tx.usage(now).decisions]
    })

    expect(inside).toEqual([['E1', 'E3'], 2])
    expect(live(store)).toEqual(['E1', 'E3'])
    expect(theirs(store, 'other')).toEqual(['E3'])
    expect(usage(store)).toEqual({
      decisions: 2,
      ipv4Addresses: 128,
      ports: 0,
      neighbors: 0,
      customers: 2,
    })

    await store.commit((tx) =>
      tx.updateEnforcement(enforcement('E1', { version: 2, status: 'released' })),
    )
    expect(live(store)).toEqual(['E3'])
    expect(theirs(store, 'esthost')).toEqual([])
    // What ended within the hour was done in it all the same.
    expect(usage(store).decisions).toBe(2)
  })

  it('forgets a change that was undone, and keeps those beside it', async () => {
    const store = open({ dir: newFolder() })
    expect([live(store), usage(store).decisions]).toEqual([[], 0])

    const changes = [
      store.commit((tx) => tx.insertEnforcement(enforcement('E1'), [])),
      store.commit((tx) => {
        tx.insertEnforcement(enforcement('E2'), [])
        throw new Error('no')
      }),
      store.commit((tx) => tx.insertEnforcement(enforcement('E3'), [])),
    ]
    const settled = await Promise.allSettled(changes)

    expect(settled.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled'])
    expect([live(store), usage(store).decisions]).toEqual([['E1', 'E3'], 2])
  })

  it('forgets a whole transaction that the disk refused', async () => {
    const store = open({ dir: newFolder(), bytesMax: 1_000_000 })
    await store.commit((tx) => tx.insertEnforcement(enforcement('E1'), []))
    expect([live(store), usage(store).decisions]).toEqual([['E1'], 1])

    const small = store.commit((tx) => tx.insertEnforcement(enforcement('E2'), []))
    const large = store.commit((tx) => {
      for (let i = 0; i < 100; i++) tx.putArtifact('transcript', randomText(20_000))
    })
    const settled = await Promise.allSettled([small, large])

    expect(settled.map(({ status }) => status)).toEqual(['rejected', 'rejected'])
    expect([live(store), usage(store).decisions]).toEqual([['E1'], 1])
  })

  it('holds the results of an enforcement as they are written, and as they were where that is undone', async () => {
    const dir = newFolder()
    const store = open({ dir })
    const devices = ['edge1', 'edge2', 'edge3']
    const result = (device: string, status: Result['status']): Result => ({
      enforcement: 'E1',
      device,
      role: 'enforcer',
      status,
      states: [],
      attempts: 0,
    })
    const statuses = (from: Store) =>
      from
        .read((rows) => rows.results({ enforcement: 'E1' }))
        .map(({ device, status }) => `${device} ${status}`)
    expect(statuses(store)).toEqual([])
    await store.commit((tx) => {
      tx.insertEnforcement(
        enforcement('E1'),
        devices.map((device) => wanted('E1', device)),
      )
      for (const device of ['edge3', 'edge1']) tx.putResult(result(device, 'pending'))
    })
    expect(statuses(store)).toEqual(['edge1 pending', 'edge3 pending'])
    expect(store.read((rows) => rows.wanted({ enforcement: 'E1' })).length).toBe(3)

    const inside = await store.commit((tx) => {
      tx.putResult(result('edge3', 'verified'))
      tx.putResult(result('edge2', 'failed'))
      return tx.results({ enforcement: 'E1' }).map(({ status }) => status)
    })
    const undone = store.commit((tx) => {
      tx.putResult(result('edge1', 'verified'))
      throw new Error('no')
    })

    await expect(undone).rejects.toThrow('no')
    expect(inside).toEqual(['pending', 'failed', 'verified'])
    const all = ['edge1 pending', 'edge2 failed', 'edge3 verified']
    expect(statuses(store)).toEqual(all)
    expect(statuses(open({ dir, as: 'command' }))).toEqual(all)
  })

  it('keeps nothing that was read within a change and then undone with it', async () => {
    const dir = newFolder()
    const store = open({ dir })
    const state: DeviceState = {
      device: 'edge1',
      state: 'up',
      unsaved: false,
      step: 1,
      states: [],
      orphans: [],
    }
    const result: Result = {
      enforcement: 'E1',
      device: 'edge1',
      role: 'enforcer',
      status: 'pending',
      states: [],
      attempts: 0,
    }
    const seen = (from: Store) =>
      from.read((rows) => [
        rows.device('edge1')?.state,
        rows.results({ enforcement: 'E1' })[0]?.status,
        rows.logSize(),
      ])
    await store.commit((tx) => {
      tx.insertEnforcement(enforcement('E1'), [wanted('E1', 'edge1')])
      tx.putDevice(state)
      tx.putResult(result)
    })

    const undone = store.commit((tx) => {
      tx.putDevice({ ...state, state: 'unreachable' })
      tx.putResult({ ...result, status: 'failed' })
      tx.append(started)
      expect(tx.device('edge1')?.state).toBe('unreachable')
      expect(tx.results({ enforcement: 'E1' })[0]?.status).toBe('failed')
      throw new Error('no')
    })
    // In the same transaction, and so behind what was undone.
    const appended = store.commit((tx) => tx.append(started))

    await expect(undone).rejects.toThrow('no')
    expect(await appended).toBe(1)
    expect(seen(store)).toEqual(['up', 'pending', 2])
    expect(seen(open({ dir, as: 'command' }))).toEqual(['up', 'pending', 2])
    await store.commit((tx) => tx.putDevice({ ...state, state: 'refused', unsaved: true }))
    expect(seen(store)[0]).toBe('refused')
    expect(verifyData(dir).findings).toEqual([])
  })

  it('holds the rows of a device, and the counts of an enforcement, as the tables have them, whatever is accepted, written, ended and undone', async () => {
    const dir = newFolder()
    const store = open({ dir })
    // Each commit of the other makes it read anew, so it says what the tables say.
    const tables = open({ dir, as: 'command' })
    const rowsIn = (from: Store) =>
      from.read((rows) => [
        ...devices.map((device) => [rows.wanted({ device }), rows.results({ device })]),
        ...rows.live().map(({ id }) => countsOf(rows.tally(id))),
      ])
    let last = 0

    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 12 }), async (steps) => {
        for (const { what, undone, read, device, role, status, pick } of steps) {
          const done = store.commit((tx) => {
            const ids = tx.live().map(({ id }) => id)
            const id = ids[pick % Math.max(1, ids.length)]
            if (what === 'accept' || id === undefined) {
              const next = `E${String(++last).padStart(6, '0')}`
              const rows = devices.slice(pick % 2).map((one) => wanted(next, one))
              tx.insertEnforcement(enforcement(next), rows)
              for (const one of rows)
                tx.putResult(resultOf(next, one.device, 'enforcer', 'pending'))
            } else if (what === 'result') tx.putResult(resultOf(id, device, role, status))
            else {
              const version = (tx.enforcement(id)?.version ?? 0) + 1
              tx.updateEnforcement(enforcement(id, { version, status: 'released' }))
            }
            if (read) tx.results({ device })
            if (undone) throw new Error('no')
          })
          await (undone ? expect(done).rejects.toThrow('no') : done)
          expect(rowsIn(store)).toEqual(rowsIn(tables))
        }
      }),
      { numRuns: 25 },
    )
  })

  it('keeps the rows of the devices that were asked for last, and of none that has too many', () => {
    const asked: string[] = []
    const rowsOf = (device: string) => (device === 'edge9' ? 6 : 2)
    const kept = createKeptRows(
      {
        wanted(device) {
          asked.push(device)
          return Array.from({ length: rowsOf(device) }, () => wanted('E1', device))
        },
        results: () => [],
      },
      5,
    )

    for (const device of ['edge1', 'edge2', 'edge1', 'edge3', 'edge1', 'edge2', 'edge9', 'edge9']) {
      expect(kept.wanted(device)).toHaveLength(rowsOf(device))
    }
    expect(asked.splice(0)).toEqual(['edge1', 'edge2', 'edge3', 'edge2', 'edge9', 'edge9'])

    // What was accepted counts too: with it the oldest has to go.
    kept.drop()
    for (const device of ['edge1', 'edge2']) kept.wanted(device)
    kept.accepted([wanted('E2', 'edge2'), wanted('E3', 'edge2')])
    expect(kept.wanted('edge2')).toHaveLength(4)
    kept.ended('E1')
    expect(kept.wanted('edge2')).toHaveLength(2)
    kept.wanted('edge1')
    expect(asked).toEqual(['edge1', 'edge2', 'edge1'])
  })

  it('sees at once what another process wrote: a token that was made, and one that was revoked', async () => {
    const dir = newFolder()
    const store = open({ dir })
    const command = open({ dir, as: 'command' })
    const known = () => store.read((rows) => rows.tokenByHash(token.sha256))
    expect(known()).toBeUndefined()

    await command.commit((tx) => tx.putToken(token))
    expect(known()).toEqual(token)

    const revoked = { ...token, revokedAt: now }
    await command.commit((tx) => tx.putToken(revoked))
    expect(known()).toEqual(revoked)

    await store.commit((tx) => tx.insertEnforcement(enforcement('E1'), []))
    expect(live(command)).toEqual(['E1'])
    await store.commit((tx) =>
      tx.updateEnforcement(enforcement('E1', { version: 2, status: 'failed' })),
    )
    expect(live(command)).toEqual([])
  })

  it('counts the hour after a restart as before, an extension of what has ended too', async () => {
    const dir = newFolder()
    const store = open({ dir })
    const old = { acceptedAt: '2026-11-20T10:00:00.000Z' }
    await store.commit((tx) => {
      tx.insertEnforcement(enforcement('E1', old), [])
      tx.insertEnforcement(enforcement('E2'), [])
      tx.insertEnforcement(enforcement('E3', old), [])
    })
    await store.commit((tx) =>
      tx.updateEnforcement(
        enforcement('E1', { ...old, version: 2, extendedAt: ['2026-11-23T23:44:00.000Z'] }),
      ),
    )
    await store.commit((tx) =>
      tx.updateEnforcement(
        enforcement('E1', {
          ...old,
          version: 3,
          status: 'released',
          extendedAt: ['2026-11-23T23:44:00.000Z'],
        }),
      ),
    )
    const before = usage(store)
    store.close()

    const again = open({ dir })
    expect(usage(again)).toEqual(before)
    expect(before.decisions).toBe(2)
    // The clock went back before the extension: it was made all the same.
    expect(usage(again, '2026-11-23T23:43:00.000Z').decisions).toBe(2)
    expect(usage(again).decisions).toBe(2)
  })

  it('lets a text be found that was appended beside others in one transaction, and not one that was undone', async () => {
    const store = open({ dir: newFolder() })
    const append = (version: string) =>
      store.commit((tx) => {
        tx.append({ ...started, data: { version } })
        if (version === 'undone') throw new Error('no')
      })
    await Promise.allSettled(['zebra', 'undone', 'okapi'].map(append))

    const found = (text: string) => store.read((rows) => rows.log({ text, limit: 10 })).length
    expect(['zebra', 'undone', 'okapi'].map(found)).toEqual([1, 0, 1])
  })
})

function randomText(length: number): string {
  let text = ''
  while (text.length < length) text += Math.random().toString(36).slice(2)
  return text
}
