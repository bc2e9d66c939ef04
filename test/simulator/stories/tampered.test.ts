import { cp } from 'node:fs/promises'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { afterEach, expect, it } from 'vitest'
import { verifyFolder } from '../../../controller/store/verify.ts'
import { village } from './networks.ts'
import { type Story, startStory, suspend } from './story.ts'

let story: Story

afterEach(() => story.end())

it('what a controller acts on or shows is held against its log: a decision, what it wants, its plan, its results, what was there before', async () => {
  story = await startStory(village)
  const { id } = await story.decide(suspend('esthost'))
  await story.reaches(id, 'enforced')
  await story.quiet()
  await story.stopController()
  const problems = async (name: string, sql: string) => {
    const dir = join(story.folder, name)
    await cp(story.config.data, dir, { recursive: true })
    const db = new Database(join(dir, 'nullroute.db'))
    const { changes } = db.prepare(sql).run()
    db.close()
    return [changes > 0, ...verifyFolder(dir).findings.map(({ message }) => message)]
  }
  const ticket = (column: string) =>
    `set doc = json_set(doc, '$.${column}.reason.ticket', 'ABUSE-9999')`

  expect(await problems('nothing', 'update enforcements set version = version')).toEqual([true])
  expect(await problems('ticket', `update enforcements ${ticket('decision')}`)).toEqual([
    true,
    `enforcement ${id}: its row has the ticket ABUSE-9999, the log ABUSE-2041`,
    expect.stringContaining('the reason in its plan'),
  ])
  expect(await problems('plan', `update plans ${ticket('decision')}`)).toEqual([
    true,
    expect.stringContaining('the reason in its plan'),
    expect.stringMatching(/^plan \w+: its row is not what it was/),
  ])
  expect(
    await problems(
      'customer',
      `update enforcements set customer = 'rovernet', doc = json_set(doc, '$.customer', 'rovernet')`,
    ),
  ).toEqual([
    true,
    `enforcement ${id}: its row has the customer rovernet, the log esthost`,
    expect.stringContaining('another digest'),
  ])
  for (const [name, sql] of [
    [
      'intent',
      `update wanted set doc = json_set(doc, '$.intent.prefix', '198.51.100.0/24')
       where n = (select min(n) from wanted where doc ->> '$.intent.kind' = 'blackhole')`,
    ],
    ['missing', `delete from wanted where n = (select max(n) from wanted)`],
    ['observer', `update wanted set doc = json_set(doc, '$.observer', json('true'))`],
  ] as const) {
    const [changed, ...told] = await problems(name, sql)
    expect(changed).toBe(true)
    expect(told.join('\n')).toContain('another digest')
  }
  expect(
    await problems(
      'result',
      `update results set doc = json_set(doc, '$.status', 'failed') where role = 'enforcer' and device = 'trigger1'`,
    ),
  ).toEqual([
    true,
    `enforcement ${id}: its row has trigger1 (enforcer) as failed, the log as verified`,
  ])
  const before = await problems(
    'before',
    `update claims set doc = json_set(doc, '$.before', json('["ip route 203.0.113.0/24 Null0"]')) where device = 'trigger1'`,
  )
  expect(before.length).toBeGreaterThan(1)
  for (const message of before.slice(1)) {
    expect(message).toContain('on trigger1: its row says that ["ip route 203.0.113.0/24 Null0"]')
  }
})
