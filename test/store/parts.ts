// What the tests of the store are made of: a folder that goes, a clock that stands until it is moved, and rows.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import type { Clock } from '../../agent/clock.ts'
import { type Intent, keyOf } from '../../agent/intents.ts'
import type { NewRecord } from '../../controller/audit/record.ts'
import type { Enforcement } from '../../controller/enforcement.ts'
import { openStore, type StoreOptions } from '../../controller/store/sqlite.ts'
import type { Store, Wanted } from '../../controller/store/store.ts'
import { parsePrefix } from '../../inventory/prefix.ts'

/** A clock that is moved by hand. */
export interface HandClock extends Clock {
  set(time: string): void
  /** Lets time pass, with all that was waiting for it. */
  pass(ms: number): void
}

export function handClock(time = '2026-11-23T23:42:07.000Z'): HandClock {
  let now = Date.parse(time)
  let waiting: { readonly at: number; readonly due: () => void }[] = []
  return {
    now: () => new Date(now),
    monotonicMs: () => now,
    after(ms, then) {
      const timer = { at: now + ms, due: then }
      waiting.push(timer)
      return () => {
        waiting = waiting.filter((other) => other !== timer)
      }
    },
    set(other) {
      now = Date.parse(other)
    },
    pass(ms) {
      now += ms
      const due = waiting.filter(({ at }) => at <= now)
      waiting = waiting.filter(({ at }) => at > now)
      for (const timer of due) timer.due()
    },
  }
}

/** A folder of its own for a test. */
export function newFolder(): string {
  const dir = mkdtempSync(join(tmpdir(), 'nullroute-store-'))
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }))
  return dir
}

/** A store that is closed when the test ends. */
export function open(options: Partial<StoreOptions> & { readonly dir: string }): Store {
  const store = openStore({ as: 'controller', clock: handClock(), ...options })
  onTestFinished(() => store.close())
  return store
}

export const started: NewRecord = {
  type: 'system.started',
  outcome: 'ok',
  actor: { kind: 'system', id: 'controller' },
  on: {},
  data: { version: '0.1.0' },
}

/** An enforcement that was just accepted. */
export function enforcement(id: string, over: Partial<Enforcement> = {}): Enforcement {
  return {
    id,
    version: 1,
    status: 'enforcing',
    decision: {
      action: 'suspend',
      subject: { kind: 'customer', customer: 'esthost' },
      reason: { category: 'phishing', summary: '42 kits', evidence: [] },
      playbook: 'suspend',
      automated: false,
      overrides: [],
    },
    customer: 'esthost',
    playbook: { name: 'suspend', sha256: 'a'.repeat(64) },
    digest: 'b'.repeat(64),
    requestedBy: { kind: 'token', id: 'T1' },
    acceptedAt: '2026-11-23T23:42:07.000Z',
    updatedAt: '2026-11-23T23:42:07.000Z',
    approvals: { needed: 0, given: [] },
    rollout: { canary: 1, batch: 50, stopAfterFailures: 1 },
    onFailure: 'keep',
    conflicts: [],
    warnings: [],
    counts: { ipv4Addresses: 64, ports: 0, neighbors: 0 },
    ...over,
  }
}

export const blackhole = (text: string): Intent => {
  const parsed = parsePrefix(text)
  if (!parsed.ok) throw new TypeError(`${text} is no prefix`)
  return { kind: 'blackhole', vrf: 'default', prefix: parsed.value, tag: 666 }
}

export function wanted(id: string, device: string, prefix = '203.0.113.0/26'): Wanted {
  const intent = blackhole(prefix)
  return {
    enforcement: id,
    device,
    key: keyOf(intent),
    intent,
    observer: false,
    optional: false,
    wave: 0,
  }
}
