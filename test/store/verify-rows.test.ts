// What `audit verify --data` finds where somebody with the database changed rows, artifacts or disclosures beside an untouched log.

import { join } from 'node:path'
import Database from 'better-sqlite3'
import { describe, expect, it } from 'vitest'
import type { NewRecord } from '../../controller/audit/record.ts'
import { createToken, revokeToken } from '../../controller/desk/tokens.ts'
import { subjectJson } from '../../controller/digest.ts'
import type { Enforcement } from '../../controller/enforcement.ts'
import type { Result, Store, Wanted } from '../../controller/store/store.ts'
import { verifyFolder } from '../../controller/store/verify.ts'
import { enforcement, newFolder, open, wanted } from './parts.ts'

const actor = { kind: 'person', id: 'ann' } as const
const at = '2026-11-23T23:42:07.000Z'

/** One enforcement in force with its read-back, one that waits, two tokens of which one is revoked, and a freeze. */
async function folder(): Promise<{ readonly dir: string; readonly artifact: string }> {
  const dir = newFolder()
  const store = open({ dir })
  await createToken(store, { actor, at, id: 'T1' }, { name: 'desk', roles: ['abuse'] })
  await createToken(store, { actor, at, id: 'T2' }, { name: 'old', roles: ['admin'] })
  await revokeToken(store, { actor, at }, 'T2')
  await accept(store, enforcement('E1', { status: 'enforced' }))
  const waiting = { status: 'awaiting_approval', approvals: { needed: 1, given: [] } } as const
  await accept(store, enforcement('E2', { ...waiting, digest: 'c'.repeat(64) }))
  const artifact = await store.commit((tx) => {
    tx.append(about('E1', 'enforcement.settled', { status: 'enforced', devices: [] }))
    const readback = tx.putArtifact('readback', 'ip route 203.0.113.0/26 blackhole')
    tx.append(about('E1', 'device.verified', { readback }))
    tx.setFreeze({ since: at, by: 'ann', reason: 'core unstable' })
    tx.append({
      type: 'freeze.set',
      outcome: 'ok',
      actor,
      on: {},
      data: { reason: 'core unstable' },
    })
    return readback
  })
  return { dir, artifact }
}

function about(id: string, type: NewRecord['type'], data: NewRecord['data']): NewRecord {
  return { type, outcome: 'ok', actor, on: { enforcement: id, customer: 'esthost' }, data }
}

async function accept(store: Store, one: Enforcement, rows: readonly Wanted[] = []): Promise<void> {
  await store.commit((tx) => {
    tx.insertEnforcement(one, rows)
    const { decision, playbook } = one
    tx.append({
      ...about(one.id, 'enforcement.requested', {
        digest: one.digest,
        action: decision.action,
        playbook: { ...playbook },
        category: decision.reason.category,
        reason: decision.reason.summary,
        subject: subjectJson(decision.subject),
        automated: decision.automated,
      }),
      actor: one.requestedBy,
    })
  })
}

function verifiedOn(device: string): Result {
  const base = { enforcement: 'E1', device, role: 'enforcer' } as const
  return { ...base, status: 'verified', states: [], attempts: 1 }
}

function tamper(dir: string, sql: string): void {
  const db = new Database(join(dir, 'nullroute.db'))
  db.pragma('foreign_keys = off')
  db.exec(sql)
  db.close()
}

const setDoc = (id: string, path: string, json: string) =>
  `update enforcements set doc = json_set(doc, '$.${path}', json('${json}')) where id = '${id}'`
const token = (sql: string) => `update tokens set doc = ${sql} where id = 'T1'`

describe('a data folder', () => {
  it('is right where rows, artifacts and log agree, and says what it counted', async () => {
    const { dir } = await folder()

    expect(verifyFolder(dir)).toMatchObject({
      findings: [],
      artifacts: { kept: 1, missing: 0, wrong: 0 },
      disclosures: { missing: 0, wrong: 0 },
    })
  })

  it.each([
    [
      "delete from enforcements where id = 'E1'",
      'enforcement E1: was accepted by this entry, and its row is not there',
    ],
    [
      `insert into enforcements (id, version, status, customer, doc) select 'E9', 1, status, customer, doc from enforcements where id = 'E1'`,
      'enforcement E9: its row is there, and no record of its acceptance',
    ],
    [
      `update enforcements set status = 'enforcing', doc = json_set(doc, '$.status', 'enforcing') where id = 'E1'`,
      'enforcement E1: its row says enforcing, its last record is enforcement.settled (enforced)',
    ],
    [
      `update enforcements set status = 'released', doc = json_set(doc, '$.status', 'released') where id = 'E2'`,
      'enforcement E2: its row says released, its last record is enforcement.requested',
    ],
    [
      "update enforcements set status = 'released' where id = 'E1'",
      'enforcement E1: its row is released and holds enforced',
    ],
    [
      setDoc('E1', 'digest', `"${'d'.repeat(64)}"`),
      `enforcement E1: its row has the digest ${'d'.repeat(64)}, ${'b'.repeat(64)} was accepted`,
    ],
    [
      setDoc('E2', 'approvals.given', '[{"person":"eve"}]'),
      'enforcement E2: its row holds 1 approvals, the log 0',
    ],
    [
      setDoc('E1', 'decision.reason.ticket', '"ABUSE-1"'),
      'enforcement E1: its row has the ticket ABUSE-1, the log none',
    ],
    [
      setDoc('E1', 'decision.reason.category', '"spam"'),
      'enforcement E1: its row has the category spam, the log phishing',
    ],
    [
      setDoc('E1', 'decision.reason.summary', '"41 kits"'),
      'enforcement E1: its row has the reason 41 kits, the log 42 kits',
    ],
    [
      setDoc('E1', 'decision.subject', '{"kind":"customer","customer":"other"}'),
      'enforcement E1: its row has the subject {"customer":"other"}, the log {"customer":"esthost"}',
    ],
    [
      setDoc('E1', 'expiresAt', '"2027-01-01T00:00:00.000Z"'),
      'enforcement E1: its row has the end 2027-01-01T00:00:00.000Z, the log none',
    ],
    [
      setDoc('E1', 'requestedBy.id', '"T2"'),
      'enforcement E1: its row has the requester T2, the log T1',
    ],
    [
      "update enforcements set customer = 'other' where id = 'E1'",
      'enforcement E1: its row has the customer to be found by other, the log esthost',
    ],
    [
      `insert into results (enforcement, device, role, doc) values ('E1', 'edge1', 'enforcer',
       '{"enforcement":"E1","device":"edge1","role":"enforcer","status":"verified"}')`,
      'enforcement E1: its row has edge1 (enforcer) as verified, the log as nothing',
    ],
    [
      "delete from tokens where id = 'T1'",
      'token T1: was made by this entry, and its row is not there',
    ],
    [
      `insert into tokens (id, name, person, sha256, doc) select 'T9', name, person, 'ff', doc from tokens where id = 'T1'`,
      'token T9: it works, and no record says who made it',
    ],
    [
      token(`json_set(doc, '$.roles', json('["admin"]'))`),
      'token T1: it has the roles ["admin"], made was one with ["abuse"]',
    ],
    [
      token(`json_set(doc, '$.revokedAt', '${at}')`),
      'token T1: its row is revoked, and no record says so',
    ],
    [
      `update tokens set doc = json_remove(doc, '$.revokedAt') where id = 'T2'`,
      'token T2: it was revoked, and works again',
    ],
    ['delete from freeze', 'the controller is not frozen, and the last record says that it is'],
  ])('in which somebody ran %s is told so', async (sql, message) => {
    const { dir } = await folder()
    tamper(dir, sql)

    expect(verifyFolder(dir).findings.filter(({ kind }) => kind !== 'row')).toEqual([])
    expect(verifyFolder(dir).findings.map((finding) => finding.message)).toEqual([message])
  })

  it('that was frozen behind the log’s back is told so', async () => {
    const dir = newFolder()
    open({ dir })
    tamper(dir, `insert into freeze (one, doc) values (1, '{}')`)

    expect(verifyFolder(dir).findings).toEqual([
      { kind: 'row', message: 'the controller is frozen, and no record says so' },
    ])
  })

  it('of which a decision on thousands of devices has settled holds each of them against the log', async () => {
    const dir = newFolder()
    const store = open({ dir })
    const names = Array.from({ length: 2_000 }, (_, i) => `edge${i}.amsterdam`)
    const devices = names.map((device) => ({ device, role: 'enforcer', status: 'verified' }))
    await accept(
      store,
      enforcement('E1', { status: 'enforced' }),
      names.map((device) => wanted('E1', device)),
    )
    await store.commit((tx) => {
      for (const device of names) tx.putResult(verifiedOn(device))
      tx.append(about('E1', 'enforcement.settled', { status: 'enforced', devices }))
    })
    expect(verifyFolder(dir)).toMatchObject({ artifacts: { kept: 1, missing: 0, wrong: 0 } })
    expect(verifyFolder(dir).findings.map(({ message }) => message)).toEqual([])

    tamper(
      dir,
      `update results set doc = json_set(doc, '$.status', 'failed') where device = 'edge1999.amsterdam'`,
    )
    expect(verifyFolder(dir).findings.map(({ message }) => message)).toEqual([
      'enforcement E1: its row has edge1999.amsterdam (enforcer) as failed, the log as verified',
    ])
  })

  it('lacks an artifact that a record names, by its entry', async () => {
    const { dir, artifact } = await folder()
    tamper(dir, 'delete from artifacts')

    expect(verifyFolder(dir)).toMatchObject({
      findings: [{ kind: 'artifact', seq: 7, message: `its readback ${artifact} is not there` }],
      artifacts: { kept: 0, missing: 1, wrong: 0 },
    })
  })

  it('holds an artifact with another content, which is counted', async () => {
    const { dir, artifact } = await folder()
    tamper(dir, `update artifacts set packed = x'00'`)

    expect(verifyFolder(dir)).toMatchObject({
      findings: [
        { kind: 'artifact', message: expect.stringContaining(`${artifact}: can't be unpacked`) },
      ],
      artifacts: { kept: 1, missing: 0, wrong: 1 },
    })
  })

  it('of which a disclosure was erased is whole all the same, and says how many are gone', async () => {
    const { dir } = await folder()
    const { kept } = verifyFolder(dir).disclosures
    tamper(dir, "delete from disclosures where pointer = '/on/customer'")

    expect(verifyFolder(dir)).toMatchObject({
      findings: [],
      disclosures: { kept: kept - 4, missing: 4, wrong: 0 },
    })
  })

  it('of which a disclosure says something else is told so', async () => {
    const { dir } = await folder()
    tamper(dir, "update disclosures set value = 'other' where pointer = '/on/customer' and seq = 4")

    expect(verifyFolder(dir)).toMatchObject({
      findings: [{ kind: 'disclosure', seq: 4 }],
      disclosures: { missing: 0, wrong: 1 },
    })
  })

  it('of which the text search was made to forget an entry, or to know another, is told so', async () => {
    const { dir } = await folder()
    tamper(dir, 'delete from log_text where rowid = 4')
    tamper(dir, "insert into log_text (rowid, words) values (99, 'esthost')")

    expect(verifyFolder(dir).findings).toEqual([
      { kind: 'row', seq: 4, message: 'the text search does not know it' },
      { kind: 'row', seq: 99, message: 'the text search knows an entry that is not there' },
    ])
  })
})
