// The store against kill -9, a second process, a full disk and damaged files.

import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import {
  appendFileSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import Database from 'better-sqlite3'
import { beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest'
import { databaseName, openStore } from '../../controller/store/sqlite.ts'
import { verifyData } from '../../controller/store/verify.ts'
import { bundled } from '../bundle.ts'
import { handClock, newFolder, open, started } from './parts.ts'

let program: string

beforeAll(async () => {
  program = await bundled(join(import.meta.dirname, 'child.ts'))
})

/** A process that appends; `lines` are those that it has printed. */
function child(dir: string, as: 'controller' | 'command', count: number) {
  const process_ = spawn(process.execPath, [program, dir, as, String(count)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  onTestFinished(() => void process_.kill('SIGKILL'))
  const lines: string[] = []
  createInterface({ input: process_.stdout }).on('line', (line) => lines.push(line))
  return {
    process: process_,
    lines,
    ended: once(process_, 'exit'),
    printed: once(process_.stdout, 'close'),
  }
}

const timeout = { timeout: 60_000, interval: 5 }
const raw = (dir: string) => {
  const db = new Database(join(dir, databaseName))
  onTestFinished(() => void db.close())
  return db
}

describe('a data folder', () => {
  it('is made at the first start, with a key that only its owner can read, and entry 0', () => {
    const dir = join(newFolder(), 'deep', 'data')
    const store = open({ dir, origin: 'audit.example.net/nullroute' })

    const [first] = store.read((rows) => rows.log({ limit: 1 }))
    expect(store.log().vkey).toMatch(/^audit\.example\.net\/nullroute\+[0-9a-f]{8}\+/)
    expect(JSON.parse(first?.entry ?? '')).toMatchObject({
      seq: 0,
      type: 'log.created',
      data: {
        origin: store.log().origin,
        vkey: store.log().vkey,
        software: expect.stringMatching(/^nullroute\/\d/),
      },
    })
    expect(statSync(join(dir, 'log.key')).mode & 0o777).toBe(0o600)
    expect(statSync(join(dir, databaseName)).mode & 0o777).toBe(0o600)
    expect(statSync(dir).mode & 0o777).toBe(0o700)
    expect(readFileSync(join(dir, 'log.key'), 'utf8')).toMatch(/^PRIVATE\+KEY\+/)
  })

  it('keeps its key and origin, and asks for the same origin ever after', () => {
    const dir = newFolder()
    const first = open({ dir })
    const { origin, vkey } = first.log()
    first.close()

    expect(origin).toMatch(/^nullroute\.invalid\/[0-9A-Z]{26}$/)
    const again = open({ dir, origin })
    expect(again.log()).toEqual({ origin, vkey })
    expect(again.read((rows) => rows.logSize())).toBe(1)
    again.close()
    expect(() => open({ dir, origin: 'other.example/log' })).toThrow(
      expect.objectContaining({ code: 'config_invalid' }),
    )
  })

  it('makes an fsync at each commit, at every open', async () => {
    const dir = newFolder()
    for (const _ of [1, 2]) {
      const pragma = vi.spyOn(Database.prototype, 'pragma')
      const store = open({ dir })
      const db = pragma.mock.contexts[0] as Database.Database
      expect(db.pragma('synchronous', { simple: true })).toBe(2)
      expect(db.pragma('journal_mode', { simple: true })).toBe('wal')
      expect(db.pragma('foreign_keys', { simple: true })).toBe(1)
      pragma.mockRestore()
      store.close()
    }
  })

  it('applies each migration once, and refuses a newer version', () => {
    const dir = newFolder()
    open({ dir }).close()
    const db = raw(dir)
    expect(db.prepare('select name from migrations').pluck().all()).toEqual([
      '0001-first.sql',
      '0002-acts.sql',
      '0003-plans-end.sql',
    ])

    db.prepare("insert into migrations values ('0999-later.sql', datetime())").run()
    expect(() => open({ dir })).toThrow(
      expect.objectContaining({
        code: 'data_invalid',
        message: expect.stringContaining('0999-later.sql'),
      }),
    )
  })

  it.each([
    ['the key is gone', (dir: string) => rmSync(join(dir, 'log.key'))],
    ['the key is damaged', (dir: string) => writeFileSync(join(dir, 'log.key'), 'PRIVATE+KEY+x\n')],
    [
      "the key is another log's",
      (dir: string) => {
        const other = newFolder()
        open({ dir: other }).close()
        writeFileSync(join(dir, 'log.key'), readFileSync(join(other, 'log.key')))
      },
    ],
    [
      'the database is not one',
      (dir: string) => {
        truncateSync(join(dir, databaseName))
        appendFileSync(join(dir, databaseName), 'x'.repeat(8192))
      },
    ],
  ])('is refused when %s', (_, damage) => {
    const dir = newFolder()
    open({ dir }).close()

    damage(dir)

    expect(() => open({ dir })).toThrow(expect.objectContaining({ code: 'data_invalid' }))
  })
})

describe('a second process', () => {
  it('is refused as a controller, naming the first, also in the same process', async () => {
    const dir = newFolder()
    const first = child(dir, 'controller', 1_000_000)
    await vi.waitFor(() => expect(first.lines).toContain('open'), timeout)

    expect(() => open({ dir })).toThrow(
      expect.objectContaining({ code: 'data_in_use', detail: { pid: first.process.pid } }),
    )
    expect(() => open({ dir })).toThrow(/pid \d+\): stop that one first/)

    first.process.kill('SIGKILL')
    await first.ended
    // The lock went with its process: nothing is stale.
    const next = open({ dir })
    expect(() => open({ dir })).toThrow(
      expect.objectContaining({ code: 'data_in_use', detail: { pid: process.pid } }),
    )
    next.close()
    open({ dir }).close()
  })

  it('that got in because the lock was taken away ends the first before that writes anything more', async () => {
    const dir = newFolder()
    const broken = vi.fn()
    const first = open({ dir, onBroken: broken })
    await first.commit((tx) => tx.append(started))
    rmSync(join(dir, 'controller.lock'))
    const second = open({ dir })

    const late = first.commit((tx) => tx.append(started))
    await expect(late).rejects.toMatchObject({
      code: 'data_in_use',
      message: expect.stringContaining('controller.lock was taken away under this controller'),
    })
    await expect(first.commit((tx) => tx.append(started))).rejects.toThrow('was taken away')
    expect(broken).toHaveBeenCalledTimes(1)
    expect(first.healthy()).toBe(false)
    first.close()
    expect(await second.commit((tx) => tx.append(started))).toBe(2)
    expect(() => open({ dir })).toThrow(/pid \d+\): stop that one first/)
  })

  it('appends as a command beside a controller, and the log stays one', async () => {
    const dir = newFolder()
    const store = open({ dir })
    const command = child(dir, 'command', 20)
    await vi.waitFor(() => expect(command.lines).toContain('open'), timeout)

    const mine: number[] = []
    while (command.process.exitCode === null)
      mine.push(await store.commit((tx) => tx.append(started)))
    await command.printed

    const theirs = command.lines.slice(1).map(Number)
    expect(theirs).toHaveLength(60)
    const size = store.read((rows) => rows.logSize())
    expect([0, ...mine, ...theirs].toSorted((a, b) => a - b)).toEqual(
      Array.from({ length: size }, (_, i) => i),
    )
    expect(verifyData(dir).findings).toEqual([])
  })

  it('makes the folder together with another without making two keys', async () => {
    const dir = newFolder()
    const children = [1, 2, 3].map(() => child(dir, 'command', 2))
    await Promise.all(children.map(({ ended }) => ended))

    expect(children.map(({ process: { exitCode } }) => exitCode)).toEqual([0, 0, 0])
    const report = verifyData(dir)
    expect(report).toMatchObject({ size: 19, findings: [] })
  })
})

describe('kill -9 while committing', () => {
  it.each([1, 2, 3])(
    'loses nothing that was acknowledged, and leaves a whole log (round %i)',
    async (round) => {
      const dir = newFolder()
      const killed = child(dir, 'controller', 1_000_000)
      await vi.waitFor(() => expect(killed.lines.length).toBeGreaterThan(round * 25), timeout)

      killed.process.kill('SIGKILL')
      await Promise.all([killed.ended, killed.printed])

      const acknowledged = killed.lines.slice(1).map(Number)
      const store = open({ dir })
      const kept = new Set(
        store.read((rows) => rows.log({ after: -1, limit: 100_000 })).map(({ seq }) => seq),
      )
      expect(acknowledged.filter((seq) => !kept.has(seq))).toEqual([])
      expect(verifyData(dir).findings).toEqual([])
      expect(await store.commit((tx) => tx.append(started))).toBe(kept.size)
    },
  )
})

describe('a disk that says no', () => {
  const fill = async (store: ReturnType<typeof openStore>) => {
    for (;;)
      await store.commit((tx) => void tx.putArtifact('plan', randomBytes(8_000).toString('hex')))
  }

  it('refuses commits as audit_unavailable when it is full, keeps what it had, and works again once there is room', async () => {
    const dir = newFolder()
    open({ dir }).close()
    const other = raw(dir)
    other.exec('create table filler (bytes blob); insert into filler values (zeroblob(400000))')
    const clock = handClock()
    const store = open({
      dir,
      clock,
      bytesMax: Number(other.pragma('page_count', { simple: true })) * 4096 + 200_000,
    })
    await store.commit((tx) => tx.append(started))

    await expect(fill(store)).rejects.toMatchObject({
      code: 'audit_unavailable',
      message: expect.stringContaining('make room'),
    })
    expect(store.healthy()).toBe(false)
    expect(store.read((rows) => rows.logSize())).toBe(2)
    clock.pass(1_000)
    expect(store.healthy()).toBe(false)

    other.exec('drop table filler')
    clock.pass(2_000)
    expect(store.healthy()).toBe(true)
    expect(await store.commit((tx) => tx.append(started))).toBe(2)
    expect(verifyData(dir).findings).toEqual([])
  })

  it('refuses commits while another process holds the database, and is healthy after the next that works', async () => {
    const dir = newFolder()
    const store = open({ dir, busyTimeoutMs: 20 })
    const other = raw(dir)
    other.exec('begin immediate')

    const commits = await Promise.allSettled(
      [1, 2].map(() => store.commit((tx) => tx.append(started))),
    )
    expect(commits.map((commit) => commit.status === 'rejected' && commit.reason)).toEqual([
      expect.objectContaining({ code: 'audit_unavailable', detail: { sqlite: 'SQLITE_BUSY' } }),
      expect.objectContaining({ code: 'audit_unavailable' }),
    ])
    expect(store.healthy()).toBe(false)

    other.exec('rollback')
    await store.commit((tx) => tx.append(started))
    expect(store.healthy()).toBe(true)
    expect(store.read((rows) => rows.logSize())).toBe(2)
  })

  it('refuses the whole change when it fails halfway, even if the change looks away', async () => {
    const dir = newFolder()
    open({ dir }).close()
    const store = open({ dir, bytesMax: statSync(join(dir, databaseName)).size + 100_000 })

    const commit = store.commit((tx) => {
      tx.append(started)
      try {
        for (;;) tx.putArtifact('plan', randomBytes(8_000).toString('hex'))
      } catch {
        return 'fine'
      }
    })

    await expect(commit).rejects.toMatchObject({ code: 'audit_unavailable' })
    expect(store.read((rows) => rows.logSize())).toBe(1)
  })
})

describe('a check of a live database', () => {
  it('names damage of every kind that can be done to it', async () => {
    const dir = newFolder()
    const store = open({ dir })
    const sha256 = await store.commit((tx) => {
      for (let i = 0; i < 9; i++) tx.append({ ...started, on: { customer: 'esthost' } })
      return tx.putArtifact('transcript', 'edge1# ')
    })
    const db = raw(dir)
    expect(verifyData(dir)).toMatchObject({ size: 10, findings: [] })

    db.exec('pragma foreign_keys = off')
    db.exec("update log_entries set entry = replace(entry, 'ok', 'no') where seq = 2")
    db.exec('delete from log_entries where seq = 5')
    db.exec("update disclosures set value = 'other' where seq = 7")
    db.exec("update artifacts set packed = x'00'")

    expect(verifyData(dir).findings).toEqual([
      expect.objectContaining({ kind: 'altered', seq: 2 }),
      expect.objectContaining({ kind: 'removed', seq: 5, to: 5 }),
      expect.objectContaining({ kind: 'disclosure', seq: 7 }),
      expect.objectContaining({ kind: 'disclosure', seq: 5 }),
      expect.objectContaining({ kind: 'row', seq: 5 }),
      expect.objectContaining({ kind: 'artifact', message: expect.stringContaining(sha256) }),
    ])
  })

  it('says what to do where there is none', () => {
    expect(() => verifyData(newFolder())).toThrow(
      expect.objectContaining({ code: 'data_invalid', message: expect.stringContaining('--data') }),
    )
  })
})
