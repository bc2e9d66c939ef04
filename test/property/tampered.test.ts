import { join } from 'node:path'
import Database from 'better-sqlite3'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { EnforcementView } from '../../controller/api/schema.ts'
import { rowFindings } from '../../controller/store/verify-rows.ts'
import { village } from '../simulator/stories/networks.ts'
import { block, type Story, startStory, suspend } from '../simulator/stories/story.ts'
import { changesTo } from './tampered-fields.ts'

/** What the log can't hold a row to, and why. What stands here stands in the README too. */
const notHeld: readonly (readonly [RegExp, string])[] = [
  [/^tokens change sha256$/, 'the log never holds a token or its digest'],
  [/^idempotency column body_sha256$/, 'the log holds no digest of a request’s body'],
  [/^idempotency column n$/, 'a number without a meaning: requests are found by token and key'],
  [/^enforcements \(\w+\) change version$/, 'counts changes, of which some write no record'],
  [
    /^enforcements \((enforced|degraded|awaiting_approval)\) (change|remove) updatedAt$/,
    'until it is over, reloads and waves move it without a record',
  ],
  [
    /^enforcements \((degraded|released)\) (change|remove|add) (openWave|stoppedBy)$/,
    'waves open and stop without a record of their own, until it is enforced',
  ],
  [/^enforcements \((awaiting_approval|rejected)\) remove openWave$/, 'none is the same as 0'],
  [
    /^results \(\w+\) (change|remove|add) (states|error|verifiedAt|attempts)/,
    'what a check shows and changes no status writes no record',
  ],
  [
    /^results \(degraded\) (change|remove) status$/,
    'devices move without a record until it is enforced',
  ],
  [/^claims (change|remove) phase$/, 'what a read-back makes of a claim has no record of its own'],
  [/^claims change step$/, 'a later step that touches the same claim has no record of it'],
  [/^claims delete$/, 'a claim that has gone leaves no record either'],
  [/^plans \(made\) delete$/, 'a plan that nobody enforced goes after a week'],
  [
    /^device_state (change|remove|add) (?!device$|step$|savedStep$)/,
    'what was last seen of a device is no decision, and is read again',
  ],
]

let story: Story

beforeEach(async () => {
  story = await startStory(village)
})

afterEach(() => story.end())

const act = (id: string, what: string, body: object, as = 'admin') =>
  story.call<EnforcementView>('POST', `/v1/enforcements/${id}/${what}`, body, { as })
const inMs = (ms: number) => new Date(story.clock.now().getTime() + ms).toISOString()
const terminate = (customer: string) => ({ ...suspend(customer), action: 'terminate' })

/** One of each: every status in which an enforcement can rest, tokens of all kinds, plans that were enforced and not, a freeze. */
async function live(): Promise<void> {
  await story.token('ben', ['approver'], 'ben@example.net')
  const more = { name: 'desk', roles: ['abuse'], person: 'carl@example.net' }
  await story.call('POST', '/v1/tokens', { ...more, expiresAt: inMs(3_600_000) })
  const old = await story.call<{ id: string }>('POST', '/v1/tokens', more)
  await story.call('DELETE', `/v1/tokens/${old.body.id}`)
  const evidence = [{ url: 'https://evidence.example/1', sha256: 'e'.repeat(64) }]
  const reason = { category: 'spam', summary: 'much', ticket: 'ABUSE-1', evidence }
  const held = await story.decide(suspend('esthost', { reason, expiresAt: inMs(60_000) }), {
    key: 'one',
  })
  await story.reaches(held.id, 'enforced')
  await act(held.id, 'extend', { expiresAt: inMs(7_200_000), reason: 'goes on' })
  const over = await story.decide(block('203.0.113.130'))
  await story.reaches(over.id, 'enforced')
  await story.call('POST', '/v1/plans', { release: over.id })
  await story.release(over.id)
  await story.reaches(over.id, 'released')
  const ended = await story.decide(terminate('rovernet'))
  await act(ended.id, 'approve', { digest: ended.digest, reason: 'seen' }, 'ben')
  await story.reaches(ended.id, 'enforced')
  const refused = await story.decide(terminate('esthost'))
  await act(refused.id, 'reject', { reason: 'too much' }, 'ben')
  await story.decide(terminate('quiet'))
  story.device('trigger1').faults.add({ kind: 'reject', matching: '^ip route 203.0.113.2/32' })
  const half = await story.decide(block('203.0.113.2'))
  await story.reaches(half.id, 'degraded')
  await story.call('POST', '/v1/plans', block('203.0.113.3'))
  await story.quiet()
  await story.call('POST', '/v1/freeze', { reason: 'core unstable' })
}

describe('in a data folder', () => {
  it('no value of any row can be changed without being told so, but for those that are named', async () => {
    await live()
    await story.stopController()
    const db = new Database(join(story.config.data, 'nullroute.db'))
    db.pragma('foreign_keys = off')
    const changes = changesTo(db)
    const silent: string[] = []
    db.exec('begin')
    for (const { what, named, run } of changes) {
      db.exec('savepoint change')
      run()
      const told = rowFindings(db).map(({ message }) => message)
      if (!told.some((message) => message.includes(named))) silent.push(what)
      db.exec('rollback to change; release change')
    }
    const untouched = rowFindings(db)
    db.exec('rollback')
    db.close()

    expect(untouched).toEqual([])
    expect(silent.filter((what) => !notHeld.some(([where]) => where.test(what)))).toEqual([])
    // None stands there without need.
    expect(
      notHeld.filter(([where]) => !silent.some((what) => where.test(what))).map(([, why]) => why),
    ).toEqual([])
    // Each status has its rows, and each row its members: a story that lost its parts would change little.
    expect(changes.length).toBeGreaterThan(600)
  })
})
