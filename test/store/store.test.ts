// Each thing that the store keeps, on the real database.

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { Claim } from '../../agent/diff.ts'
import { type Intent, keyOf } from '../../agent/intents.ts'
import { readArtifact } from '../../controller/audit/artifact.ts'
import { parseDisclosure } from '../../controller/audit/disclosure.ts'
import type { NewRecord } from '../../controller/audit/record.ts'
import { ControllerError } from '../../controller/errors.ts'
import type { Plan } from '../../controller/plan.ts'
import type {
  Committed,
  DeviceState,
  LogQuery,
  Result,
  Rows,
  Store,
  TokenRow,
} from '../../controller/store/store.ts'
import { verifyData } from '../../controller/store/verify.ts'
import { blackhole, enforcement, handClock, newFolder, open, started, wanted } from './parts.ts'

const fresh = () => open({ dir: newFolder() })
const claimOf = (intent: Intent): Claim => ({
  key: keyOf(intent),
  intent,
  before: [],
  wrote: ['ip route'],
  phase: 'pending',
  step: 1,
})
const resultOf = (id: string, device: string, role: Result['role'] = 'enforcer'): Result => ({
  enforcement: id,
  device,
  role,
  status: 'pending',
  states: [],
  attempts: 0,
})
const deviceOf = (device: string): DeviceState => ({
  device,
  state: 'up',
  unsaved: false,
  step: 0,
  states: [],
  orphans: [],
})

describe('enforcements', () => {
  it('come back as they were, newest first, and can be paged and filtered', async () => {
    const store = fresh()
    await store.commit((tx) => {
      tx.insertEnforcement(enforcement('E1', { status: 'released' }), [])
      tx.insertEnforcement(enforcement('E2', { customer: 'other' }), [])
      tx.insertEnforcement(enforcement('E3', { status: 'degraded' }), [])
      // Accepted later, though a clock that went back gave it a smaller id.
      tx.insertEnforcement(enforcement('E0'), [])
    })
    const ids = (filter: Partial<Parameters<Rows['enforcements']>[0]>) =>
      store.read((rows) => rows.enforcements({ limit: 10, ...filter })).map(({ id }) => id)

    expect(store.read((rows) => rows.enforcement('E3'))).toEqual(
      enforcement('E3', { status: 'degraded' }),
    )
    expect(store.read((rows) => rows.enforcement('E9'))).toBeUndefined()
    expect(ids({})).toEqual(['E0', 'E3', 'E2', 'E1'])
    expect(ids({ limit: 2 })).toEqual(['E0', 'E3'])
    expect(ids({ before: 'E3' })).toEqual(['E2', 'E1'])
    expect(ids({ customer: 'esthost', statuses: ['enforcing', 'released'] })).toEqual(['E0', 'E1'])
    expect(store.read((rows) => rows.live()).map(({ id }) => id)).toEqual(['E2', 'E3', 'E0'])
  })

  it('are changed only from the version that was read', async () => {
    const store = fresh()
    await store.commit((tx) => tx.insertEnforcement(enforcement('E1'), []))
    const next = enforcement('E1', { version: 2, status: 'enforced' })

    await store.commit((tx) => tx.updateEnforcement(next))
    await expect(store.commit((tx) => tx.updateEnforcement(next))).rejects.toMatchObject({
      code: 'stale',
      detail: { version: 2 },
    })
    await expect(
      store.commit((tx) => tx.updateEnforcement(enforcement('E9'))),
    ).rejects.toMatchObject({ code: 'not_found' })

    expect(store.read((rows) => rows.enforcement('E1'))).toEqual(next)
  })

  it('want things of devices, in the order of the measures; a device is asked only for what is live', async () => {
    const store = fresh()
    const rows1 = [
      wanted('E1', 'edge2'),
      wanted('E1', 'edge1'),
      wanted('E1', 'edge1', '2001:db8::/48'),
    ]
    await store.commit((tx) => {
      tx.insertEnforcement(enforcement('E1'), rows1)
      tx.insertEnforcement(enforcement('E2'), [wanted('E2', 'edge1')])
    })

    expect(store.read((rows) => rows.wanted({ enforcement: 'E1' }))).toEqual(rows1)
    expect(store.read((rows) => rows.wanted({ device: 'edge1' }))).toEqual([
      rows1[1],
      rows1[2],
      wanted('E2', 'edge1'),
    ])

    await store.commit((tx) =>
      tx.updateEnforcement(enforcement('E1', { version: 2, status: 'released' })),
    )
    expect(store.read((rows) => rows.wanted({ device: 'edge1' }))).toEqual([wanted('E2', 'edge1')])
    expect(store.read((rows) => rows.wanted({ enforcement: 'E1' }))).toEqual(rows1)
  })
})

describe('devices', () => {
  it('keep claims until they are dropped', async () => {
    const store = fresh()
    const one = claimOf(blackhole('203.0.113.0/26'))
    const two = claimOf(blackhole('203.0.113.64/26'))
    await store.commit((tx) => {
      tx.putClaim('edge1', one)
      tx.putClaim('edge1', two)
      tx.putClaim('edge2', one)
      tx.putClaim('edge1', { ...one, phase: 'held' })
      tx.dropClaim('edge2', one.key)
    })

    expect(store.read((rows) => rows.claims('edge1'))).toEqual([{ ...one, phase: 'held' }, two])
    expect(store.read((rows) => rows.devicesWithClaims())).toEqual(['edge1'])
  })

  it('keep results, one for each enforcement and role, and their state', async () => {
    const store = fresh()
    await store.commit((tx) => {
      tx.insertEnforcement(enforcement('E1'), [])
      tx.putResult(resultOf('E1', 'edge1'))
      tx.putResult(resultOf('E1', 'edge1', 'observer'))
      tx.putResult({ ...resultOf('E1', 'edge1'), status: 'verified' })
      tx.putDevice(deviceOf('edge2'))
      tx.putDevice(deviceOf('edge1'))
      tx.putDevice({ ...deviceOf('edge1'), state: 'unreachable' })
    })

    const both = [
      { ...resultOf('E1', 'edge1'), status: 'verified' },
      resultOf('E1', 'edge1', 'observer'),
    ]
    expect(store.read((rows) => rows.results({ enforcement: 'E1' }))).toEqual(both)
    expect(store.read((rows) => rows.results({ device: 'edge1' }))).toEqual(both)
    expect(store.read((rows) => rows.device('edge1'))?.state).toBe('unreachable')
    expect(store.read((rows) => rows.devices()).map(({ device }) => device)).toEqual([
      'edge1',
      'edge2',
    ])
  })
})

describe('plans, tokens, freeze and repeats', () => {
  it('keep plans and a freeze', async () => {
    const store = fresh()
    const plan = { id: 'P1', digest: 'd' } as Plan
    const freeze = { since: '2026-11-23T23:42:07.000Z', by: 'alice', reason: 'maintenance' }
    await store.commit((tx) => {
      tx.putPlan(plan)
      tx.setFreeze(freeze)
    })

    expect(store.read((rows) => rows.plan('P1'))).toEqual(plan)
    expect(store.read((rows) => rows.freeze())).toEqual(freeze)
    await store.commit((tx) => tx.setFreeze(undefined))
    expect(store.read((rows) => rows.freeze())).toBeUndefined()
  })

  it('keep a plan that nobody enforced until its time is over, and one that was enforced for ever', async () => {
    const store = fresh()
    const plan = (id: string, createdAt: string) => ({ id, createdAt }) as Plan
    await store.commit((tx) => {
      tx.putPlan(plan('P1', '2026-11-01T00:00:00.000Z'), '2026-11-08T00:00:00.000Z')
      tx.putPlan(plan('P2', '2026-11-01T00:00:00.000Z'))
    })
    const left = async (at: string) => {
      await store.commit((tx) => tx.putPlan(plan('P3', at), '2027-01-01T00:00:00.000Z'))
      return ['P1', 'P2', 'P3'].filter((id) => store.read((rows) => rows.plan(id)) !== undefined)
    }

    expect(await left('2026-11-08T00:00:00.000Z')).toEqual(['P1', 'P2', 'P3'])
    expect(await left('2026-11-08T00:00:00.001Z')).toEqual(['P2', 'P3'])
  })

  it('find a token by the hash of it, and never give two tokens one hash', async () => {
    const store = fresh()
    const token = (id: string, sha256: string): TokenRow => ({
      id,
      name: 'desk',
      person: 'alice',
      roles: ['abuse'],
      sha256,
      createdAt: '2026-11-23T23:42:07.000Z',
    })
    await store.commit((tx) => tx.putToken(token('T1', 'aa')))
    await store.commit((tx) =>
      tx.putToken({ ...token('T1', 'aa'), revokedAt: '2026-11-24T00:00:00.000Z' }),
    )

    await expect(store.commit((tx) => tx.putToken(token('T2', 'aa')))).rejects.toThrow(/UNIQUE/)
    expect(store.healthy()).toBe(true)
    expect(store.read((rows) => rows.tokenByHash('aa'))).toMatchObject({
      id: 'T1',
      revokedAt: expect.any(String),
    })
    expect(store.read((rows) => rows.tokenByHash('bb'))).toBeUndefined()
    expect(store.read((rows) => rows.tokens())).toHaveLength(1)
  })

  it('know a key for 30 days, and a body from a time on', async () => {
    const store = fresh()
    const row = (key: string | undefined, at: string, bodySha256 = 'body') => ({
      token: 'T1',
      ...(key === undefined ? {} : { key }),
      bodySha256,
      enforcement: 'E1',
      at,
    })
    await store.commit((tx) => {
      tx.insertEnforcement(enforcement('E1'), [])
      tx.putIdempotency(row('k1', '2026-11-01T00:00:00.000Z'))
      tx.putIdempotency(row(undefined, '2026-11-30T00:00:00.000Z'))
    })

    expect(store.read((rows) => rows.idempotency('T1', 'k1'))).toEqual(
      row('k1', '2026-11-01T00:00:00.000Z'),
    )
    expect(store.read((rows) => rows.idempotency('T2', 'k1'))).toBeUndefined()
    expect(store.read((rows) => rows.sameBody('T1', 'body', '2026-11-29T23:59:00.000Z'))).toEqual(
      row(undefined, '2026-11-30T00:00:00.000Z'),
    )
    expect(
      store.read((rows) => rows.sameBody('T1', 'body', '2026-11-30T00:01:00.000Z')),
    ).toBeUndefined()

    await store.commit((tx) => tx.putIdempotency(row('k1', '2026-12-02T00:00:00.000Z', 'other')))
    expect(store.read((rows) => rows.idempotency('T1', 'k1'))?.bodySha256).toBe('other')
  })
})

describe('commits', () => {
  it('that wait together share a transaction, and one that throws undoes only itself', async () => {
    const store = fresh()
    const batches: (readonly Committed[])[] = []
    store.subscribe((records) => batches.push(records))

    const results = await Promise.allSettled([
      store.commit((tx) => tx.append(started)),
      store.commit((tx) => {
        tx.append(started)
        tx.putDevice(deviceOf('edge1'))
        throw new ControllerError('guard_refused', 'no')
      }),
      store.commit((tx) => tx.append({ ...started, on: { enforcement: 'E1', device: 'edge1' } })),
    ])

    expect(results).toMatchObject([
      { status: 'fulfilled', value: 1 },
      { status: 'rejected', reason: { code: 'guard_refused' } },
      { status: 'fulfilled', value: 2 },
    ])
    expect(batches).toEqual([
      [
        { seq: 1, type: 'system.started' },
        { seq: 2, type: 'system.started', enforcement: 'E1', device: 'edge1' },
      ],
    ])
    expect(store.read((rows) => [rows.logSize(), rows.device('edge1')])).toEqual([3, undefined])
  })

  it('see their own writes, and nobody else sees them before they are durable', async () => {
    const store = fresh()
    const seen = await store.commit((tx) => {
      tx.putDevice(deviceOf('edge1'))
      tx.append(started)
      return [tx.device('edge1')?.device, tx.logSize()]
    })

    expect(seen).toEqual(['edge1', 2])
  })

  it('refuse a change that goes on after it has answered', async () => {
    const store = fresh()
    const late = await store.commit((tx) => () => tx.append(started))

    expect(() => late()).toThrow(TypeError)
    await expect(store.commit(async () => 1)).rejects.toThrow(/no promise/)
    expect(store.read((rows) => rows.logSize())).toBe(1)
  })

  it('are told to each listener until it ends, whatever another listener does', async () => {
    const store = fresh()
    const told: number[] = []
    const end = store.subscribe((records) => told.push(...records.map(({ seq }) => seq)))

    await store.commit((tx) => tx.append(started))
    end()
    await store.commit((tx) => tx.append(started))

    expect(told).toEqual([1])
  })

  it('that wait when the store closes are still made; later ones are refused', async () => {
    const store = fresh()
    const waiting = store.commit((tx) => tx.append(started))

    store.close()

    expect(await waiting).toBe(1)
    await expect(store.commit((tx) => tx.append(started))).rejects.toMatchObject({
      code: 'stopping',
    })
    store.close()
  })
})

describe('the audit log', () => {
  const clock = handClock()
  const filled = async (): Promise<{ store: Store; dir: string }> => {
    const dir = newFolder()
    clock.set('2026-11-23T23:42:07.000Z')
    const store = open({ dir, clock })
    clock.set('2026-11-23T23:42:10.000Z')
    await store.commit((tx) => {
      tx.putToken({
        id: 'T1',
        name: 'desk',
        person: 'alice@example.net',
        roles: ['abuse'],
        sha256: 'aa',
        createdAt: '',
      })
      tx.insertEnforcement(enforcement('E1'), [])
      tx.append({
        type: 'enforcement.requested',
        outcome: 'ok',
        actor: {
          kind: 'token',
          id: 'T1',
          roles: ['abuse'],
          name: 'Alice Example',
          from: '192.0.2.77',
        },
        on: { customer: 'esthost', enforcement: 'E1' },
        data: {
          action: 'suspend',
          ticket: 'ABUSE-2041',
          reason: '42 phishing kits on 203.0.113.10',
          subject: ['203.0.113.10/32'],
        },
      })
    })
    clock.set('2026-11-23T23:42:20.000Z')
    await store.commit((tx) => {
      tx.append({
        type: 'device.connected',
        outcome: 'ok',
        actor: { kind: 'agent', id: 'agent/edge1' },
        on: { device: 'edge1', enforcement: 'E1' },
        data: { address: '10.20.0.11' },
      })
      tx.append({ ...started, on: { device: 'edge1' } })
    })
    return { store, dir }
  }
  const found = (store: Store, query: Omit<LogQuery, 'limit'>) =>
    store.read((rows) => rows.log({ limit: 10, ...query })).map(({ seq }) => seq)

  it.each<[Omit<LogQuery, 'limit'>, readonly number[]]>([
    [{}, [3, 2, 1, 0]],
    [{ before: 2 }, [1, 0]],
    [{ after: 1 }, [2, 3]],
    [{ after: -1, before: 2 }, [0, 1]],
    [{ type: 'system.started' }, [3]],
    [{ actor: 'T1' }, [1]],
    [{ actor: 'desk' }, [1]],
    [{ actor: 'alice@example.net' }, [1]],
    [{ actor: 'agent/edge1' }, [2]],
    [{ device: 'edge1' }, [3, 2]],
    [{ enforcement: 'E1' }, [2, 1]],
    [{ customer: 'esthost' }, [2, 1]],
    [{ customer: 'est' }, []],
    [{ from: '2026-11-23T23:42:10.000Z' }, [3, 2, 1]],
    [{ from: '2026-11-23T23:42:10.001Z' }, [3, 2]],
    [{ to: '2026-11-23T23:42:10.000Z' }, [1, 0]],
    [{ from: '2027-01-01T00:00:00.000Z' }, []],
    [{ text: 'phishing' }, [1]],
    [{ text: 'PHISH 203.0.113.10' }, [1]],
    [{ text: '203.0.113' }, [1]],
    [{ text: 'abuse-2041' }, [1]],
    [{ text: 'alice' }, [1]],
    [{ text: '10.20.0.11' }, [2]],
    [{ text: '10.20.0.1' }, [2]],
    [{ text: '0.20.0.11' }, []],
    [{ text: 'kits device' }, []],
    [{ text: 'edge1' }, [3, 2]],
    [{ text: 'edge1', type: 'device.connected' }, [2]],
    [{ text: 'edge1', after: 0 }, [2, 3]],
    [{ text: 'edge1', before: 3, device: 'edge1' }, [2]],
    [{ text: '"); drop table log_entries; --' }, []],
    [{ text: '" OR *' }, []],
    [{ text: '--- *' }, []],
    [{ text: 'nowhere%_\u0000' }, []],
  ])('answers %j', async (query, seqs) => {
    const { store } = await filled()

    expect(found(store, query)).toEqual(seqs)
    expect(store.read((rows) => rows.log({ ...query, limit: 1 })).map(({ seq }) => seq)).toEqual(
      seqs.slice(0, 1),
    )
  })

  it('refuses to look for a text without bound', async () => {
    const store = fresh()

    expect(() => found(store, { text: 'x'.repeat(257) })).toThrow(
      expect.objectContaining({ code: 'invalid_request' }),
    )
  })

  it('gives what is hidden beside the entry, never in it', async () => {
    const { store, dir } = await filled()
    const [entry] = store.read((rows) => rows.log({ limit: 1, type: 'enforcement.requested' }))

    const disclosed = entry?.disclosures.map(({ disclosure }) => parseDisclosure(disclosure))
    expect(
      Object.fromEntries(disclosed?.map(({ pointer, value }) => [pointer, value]) ?? []),
    ).toEqual({
      '/actor/name': 'Alice Example',
      '/actor/from': '192.0.2.77',
      '/on/customer': 'esthost',
      '/data/reason': '42 phishing kits on 203.0.113.10',
      '/data/subject': ['203.0.113.10/32'],
    })
    expect(new Set(disclosed?.map(({ salt }) => salt)).size).toBe(5)
    expect(entry?.entry).toContain('"ticket":"ABUSE-2041"')
    for (const hidden of ['Alice', '192.0.2.77', 'esthost', 'phishing', '203.0.113'])
      expect(entry?.entry).not.toContain(hidden)
    expect(verifyData(dir)).toMatchObject({ size: 4, findings: [] })
  })

  it('chains the entries of each enforcement, and holds a clock that went back', async () => {
    const { store, dir } = await filled()
    clock.set('2026-11-01T00:00:00.000Z')
    await store.commit((tx) => tx.append({ ...started, on: { enforcement: 'E1' } }))

    const records = store
      .read((rows) => rows.log({ limit: 10, after: 0 }))
      .map(({ entry }) => JSON.parse(entry))
    expect(records.map(({ chain }) => chain)).toEqual([
      { n: 0 },
      { n: 1, prev: 1 },
      undefined,
      { n: 2, prev: 2 },
    ])
    expect(records.at(-1).time).toBe('2026-11-23T23:42:20.000Z')
    expect(verifyData(dir).findings).toEqual([])
  })

  it('knows the steps of which nothing was written after they were intended', async () => {
    const { store } = await filled()
    const step = (type: NewRecord['type'], number: number, about?: string): NewRecord => ({
      ...started,
      type,
      on: { device: 'edge1', ...(about === undefined ? {} : { enforcement: about }) },
      data: { step: number },
    })
    await store.commit((tx) => {
      tx.append(step('device.commands_intended', 1, 'E1'))
      tx.append(step('device.commands_intended', 1, 'E2'))
      tx.append(step('device.commands_done', 1, 'E1'))
      tx.append(step('device.commands_intended', 2))
      tx.append(step('device.verified', 2))
      tx.append({ ...step('device.commands_done', 2), on: { device: 'edge2' } })
    })

    expect(store.read((rows) => rows.openSteps())).toEqual([
      { seq: 5, device: 'edge1', step: 1, enforcement: 'E2' },
      { seq: 7, device: 'edge1', step: 2 },
    ])
    await store.commit((tx) =>
      tx.append({ ...step('device.commands_done', 2), outcome: 'unknown' }),
    )
    expect(store.read((rows) => rows.openSteps())).toHaveLength(1)
  })

  it('keeps artifacts by their digest, and finds those that records of an enforcement name', async () => {
    const { store, dir } = await filled()
    const sha256 = await store.commit((tx) => {
      const transcript = tx.putArtifact('transcript', 'edge1# show ip route\n')
      tx.putArtifact('plan', 'of nobody')
      tx.append({
        ...started,
        type: 'device.commands_done',
        on: { device: 'edge1', enforcement: 'E1' },
        data: { step: 1, transcript, hostKey: 'f'.repeat(64) },
      })
      return transcript
    })

    const content = store.read((rows) => rows.artifact(sha256))
    expect(readArtifact(content ?? Buffer.alloc(0))).toEqual({
      kind: 'transcript',
      text: 'edge1# show ip route\n',
    })
    expect(store.read((rows) => rows.artifact('0'.repeat(64)))).toBeUndefined()
    expect(store.read((rows) => rows.artifactsOf('E1'))).toEqual([
      { seq: 4, device: 'edge1', kind: 'transcript', sha256 },
    ])
    expect(verifyData(dir).findings).toEqual([])
  })

  it('never holds the log key', async () => {
    const { store, dir } = await filled()
    // Behind PRIVATE+KEY+name+id, and base64 may hold a plus itself.
    const seed = readFileSync(join(dir, 'log.key'), 'utf8').trim().split('+').slice(4).join('+')
    expect(seed.length).toBeGreaterThan(40)

    for (const { entry } of store.read((rows) => rows.log({ limit: 10 })))
      expect(entry).not.toContain(seed)
  })
})
