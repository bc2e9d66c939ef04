// A server on a real store with a small controller behind it that does only what the API's own tests need: it keeps decisions and plans nothing.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { FastifyInstance, InjectOptions, LightMyRequestResponse } from 'fastify'
import { pino } from 'pino'
import { monotonicFactory } from 'ulid'
import type { Clock } from '../../agent/clock.ts'
import { type Intent, keyOf } from '../../agent/intents.ts'
import { createServer } from '../../controller/api/server.ts'
import type { Caller, Controller } from '../../controller/controller.ts'
import { createToken, revokeToken } from '../../controller/desk/tokens.ts'
import type { Enforcement, Status } from '../../controller/enforcement.ts'
import { ControllerError } from '../../controller/errors.ts'
import type { Plan } from '../../controller/plan.ts'
import { openStore } from '../../controller/store/sqlite.ts'
import type { Result, Role, Store, Wanted } from '../../controller/store/store.ts'
import type { Inventory, PortName } from '../../inventory/model.ts'
import { parseAddress, parsePrefix } from '../../inventory/prefix.ts'
import type { Decision, Playbook } from '../../playbooks/model.ts'

/** A clock that stands until it is moved. */
interface TestClock extends Clock {
  advance(ms: number): void
}

function createTestClock(start: string): TestClock {
  let at = Date.parse(start)
  const waiting = new Set<{ readonly due: number; readonly call: () => void }>()
  return {
    now: () => new Date(at),
    monotonicMs: () => at,
    after(ms, then) {
      const one = { due: at + ms, call: then }
      waiting.add(one)
      return () => waiting.delete(one)
    },
    advance(ms) {
      at += ms
      for (const one of [...waiting].filter(({ due }) => due <= at)) {
        waiting.delete(one)
        one.call()
      }
    },
  }
}

const ulid = monotonicFactory()

export const sha256 = 'a'.repeat(64)
const address = (text: string) => must(parseAddress(text))
const prefix = (text: string) => must(parsePrefix(text))

function must<T>(parsed: { ok: true; value: T } | { ok: false; problem: string }): T {
  if (!parsed.ok) throw new TypeError(parsed.problem)
  return parsed.value
}

const device = (id: string, ip: string, roles: readonly string[]) => ({
  id,
  platform: 'frr',
  address: address(ip),
  port: 22,
  username: 'netops',
  auth: { kind: 'agent' as const },
  knownHosts: '/nowhere/known_hosts',
  site: 'ams',
  roles,
  legacy: false,
  deadlineMs: 10_000,
  sessionIdleMs: 300_000,
  save: 'always' as const,
  deviceTimer: false,
  loopbacks: [],
  neighbors: [],
  gateways: [],
  nextHops: [],
  uplinks: [],
})

const customer = (id: string, name: string, space: string) => ({
  id,
  name,
  asn: '64501',
  prefixes: [{ prefix: prefix(space), vrf: 'default' }],
  ports: [{ device: 'edge1', interface: 'p1' as PortName }],
  neighbors: [{ device: 'edge1', address: address('192.0.2.9'), vrf: 'default' }],
  contacts: [{ email: `abuse@${id}.example` }],
})

const inventory: Inventory = {
  devices: new Map(
    [
      device('edge1', '10.20.0.11', ['edge']),
      device('trigger1', '10.20.0.12', ['rtbh-trigger']),
    ].map((one) => [one.id, one]),
  ),
  customers: new Map(
    [
      customer('esthost', 'Esthost', '203.0.113.0/26'),
      customer('other', 'Other', '203.0.113.64/26'),
    ].map((one) => [one.id, one]),
  ),
  jumps: new Map(),
  protected: [{ prefix: prefix('10.20.0.0/16'), why: 'management' }],
  limits: {
    maxPrefix: { ipv4: 24, ipv6: 48 },
    perDecision: {
      ipv4Addresses: 4096,
      ipv6Slash64: 262144,
      customers: 1,
      ports: 64,
      neighbors: 32,
    },
    perHour: { decisions: 200, ipv4Addresses: 16384, customers: 50, ports: 200, neighbors: 50 },
  },
  controllerAddresses: [],
  discardNextHops: [],
  files: [],
}

const playbook: Playbook = {
  name: 'suspend',
  decision: 'suspend',
  description: 'Cut a customer off, reversibly.',
  measures: [{ kind: 'port', objects: 'customer', optional: false }],
  rollout: { canary: 1, batch: 50, stopAfterFailures: 1 },
  approvals: 0,
  maxDurationMs: 1_209_600_000,
  onFailure: 'keep',
  sha256,
}

const intent: Intent = {
  kind: 'blackhole',
  vrf: 'default',
  prefix: prefix('203.0.113.0/26'),
  tag: 666,
}

/** A valid decision, as a client writes it. */
export const decisionBody = {
  action: 'suspend',
  subject: { customer: 'esthost' },
  reason: { category: 'phishing', summary: '42 phishing kits', ticket: 'ABUSE-2041' },
}

/** Everything that a test of the API holds on to. */
export interface World {
  readonly app: FastifyInstance
  readonly store: Store
  readonly clock: TestClock
  readonly tokens: ReadonlyMap<Role, string>
  /** Callers as the controller was given them, newest last. */
  readonly callers: Caller[]
  /** Lines of the log. */
  readonly logged: string[]
  ask(role: Role | undefined, request: InjectOptions): Promise<LightMyRequestResponse>
  /** Makes another token. */
  token(
    roles: readonly Role[],
    expiresAt?: string,
  ): Promise<{ readonly id: string; readonly token: string }>
  /** Puts an enforcement into the store. */
  enforcement(status: Status): Promise<Enforcement>
  /** Moves one on, with its records, as the controller would. */
  settle(enforcement: Enforcement, status: Status): Promise<Enforcement>
  close(): Promise<void>
}

/** A server that does not listen yet. */
export async function createWorld(
  options: { eventStreams?: number; requestsPerMinute?: number; changesAtOnce?: number } = {},
): Promise<World> {
  const dir = mkdtempSync(join(tmpdir(), 'nullroute-api-'))
  const clock = createTestClock('2026-12-01T12:00:00.000Z')
  const store = openStore({ dir, as: 'controller', clock })
  const callers: Caller[] = []
  const logged: string[] = []
  const book = createBook(store, clock)
  const controller = createController({ store, clock, callers, book })
  const app = await createServer(controller, {
    version: '0.0.0-test',
    clock,
    log: pino({ level: 'debug' }, { write: (line: string) => logged.push(line) }),
    bodyLimitBytes: 65_536,
    requestsPerMinute: options.requestsPerMinute ?? 1_000_000,
    changesAtOnce: options.changesAtOnce ?? 1_000,
    connections: 1_000,
    eventStreams: options.eventStreams ?? 100,
  })
  const token = async (roles: readonly Role[], expiresAt?: string) => {
    // One that has expired was made before that.
    const now = clock.now().toISOString()
    const at = expiresAt === undefined || expiresAt > now ? now : '2026-01-01T00:00:00.000Z'
    const made = await createToken(
      store,
      { actor: { kind: 'system', id: 'test' }, id: ulid(), at },
      {
        name: `test ${roles.join(' ')}`,
        person: `${roles.join('-')}@isp.example`,
        roles,
        ...(expiresAt === undefined ? {} : { expiresAt }),
      },
    )
    return { id: made.row.id, token: made.token }
  }
  const tokens = new Map<Role, string>()
  for (const role of ['abuse', 'engineer', 'approver', 'auditor', 'admin'] as const) {
    tokens.set(role, (await token([role])).token)
  }
  return {
    app,
    store,
    clock,
    tokens,
    callers,
    logged,
    token,
    ...book,
    ask: (role, request) =>
      app.inject({
        ...request,
        headers: {
          ...(role === undefined ? {} : { authorization: `Bearer ${tokens.get(role)}` }),
          ...request.headers,
        },
      }),
    async close() {
      await app.close()
      store.close()
      rmSync(dir, { recursive: true, force: true })
    },
  }
}

type Book = Pick<World, 'enforcement' | 'settle'> & {
  insert(decision: Decision, status: Status): Promise<Enforcement>
}

function createBook(store: Store, clock: Clock): Book {
  const insert: Book['insert'] = (decision, status) =>
    store.commit((tx) => {
      const made = enforcementOf(decision, status, clock.now().toISOString())
      tx.insertEnforcement(made, [
        wantedOf(made.id, 'trigger1', false),
        wantedOf(made.id, 'edge1', true),
      ])
      tx.putResult(resultOf(made.id, 'trigger1', 'pending'))
      tx.append({
        type: 'enforcement.requested',
        outcome: 'ok',
        actor: made.requestedBy,
        on: { enforcement: made.id, customer: made.customer },
        data: { action: 'suspend', reason: decision.reason.summary },
      })
      return made
    })
  return {
    insert,
    enforcement: (status) => insert(suspend, status),
    settle: (enforcement, status) =>
      store.commit((tx) => {
        const moved: Enforcement = {
          ...(tx.enforcement(enforcement.id) ?? enforcement),
          status,
          updatedAt: clock.now().toISOString(),
        }
        const next = { ...moved, version: moved.version + 1 }
        tx.updateEnforcement(next)
        const verified = status === 'enforced'
        tx.putResult(resultOf(next.id, 'trigger1', verified ? 'verified' : 'unreachable'))
        const about = {
          actor: { kind: 'agent', id: 'agent' },
          on: { enforcement: next.id },
        } as const
        tx.append({
          ...about,
          type: 'device.verified',
          outcome: verified ? 'ok' : 'failed',
          on: { enforcement: next.id, device: 'trigger1' },
          data: { step: 1 },
        })
        if (status !== 'releasing') {
          tx.append({
            ...about,
            type: 'enforcement.settled',
            outcome: 'ok',
            data: { status, devices: [{ device: 'trigger1', status: 'verified' }] },
          })
        } else {
          tx.append({ ...about, type: 'enforcement.release_requested', outcome: 'ok', data: {} })
        }
        return next
      }),
  }
}

const suspend: Decision = {
  action: 'suspend',
  subject: { kind: 'customer', customer: 'esthost' },
  reason: { category: 'phishing', summary: '42 phishing kits', evidence: [] },
  playbook: 'suspend',
  automated: false,
  overrides: [],
}

function enforcementOf(decision: Decision, status: Status, at: string): Enforcement {
  return {
    id: ulid(),
    version: 1,
    status,
    decision,
    customer: 'esthost',
    playbook: { name: decision.playbook, sha256 },
    digest: sha256,
    requestedBy: { kind: 'token', id: ulid(), name: 'desk', from: '192.0.2.77' },
    acceptedAt: at,
    updatedAt: at,
    approvals: { needed: 0, given: [] },
    rollout: playbook.rollout,
    onFailure: 'keep',
    conflicts: [],
    warnings: [],
    counts: { ipv4Addresses: 64, ports: 0, neighbors: 0 },
  }
}

function wantedOf(enforcement: string, id: string, observer: boolean): Wanted {
  return {
    enforcement,
    device: id,
    key: keyOf(intent),
    intent,
    observer,
    optional: false,
    wave: 0,
  }
}

function resultOf(enforcement: string, id: string, status: Result['status']): Result {
  return {
    enforcement,
    device: id,
    role: 'enforcer',
    status,
    states:
      status === 'verified'
        ? [
            {
              key: keyOf(intent),
              kind: 'blackhole',
              outcome: 'applied',
              seen: 'present',
              verified: true,
            },
          ]
        : [],
    ...(status === 'unreachable'
      ? { error: { code: 'unreachable', message: 'no connection', remedy: 'check the cable' } }
      : {}),
    ...(status === 'verified' ? { verifiedAt: '2026-12-01T12:00:00.000Z' } : {}),
    attempts: 1,
  }
}

function planOf(decision: Decision | undefined): Plan {
  return {
    id: ulid(),
    createdAt: '2026-12-01T12:00:00.000Z',
    action: decision?.action ?? 'release',
    ...(decision === undefined ? {} : { decision }),
    customer: 'esthost',
    playbook: { name: 'suspend', sha256 },
    rollout: playbook.rollout,
    approvals: 0,
    digest: sha256,
    guards: [
      { guard: 'protected', verdict: 'pass', message: 'nothing protected', overridable: false },
    ],
    blastRadius: {
      customers: ['esthost'],
      ipv4Addresses: '64',
      ipv6Slash64: '0',
      prefixes: ['203.0.113.0/26'],
      ports: [],
      neighbors: [],
      devices: ['trigger1'],
    },
    devices: [
      {
        device: 'trigger1',
        platform: 'frr',
        role: 'enforcer',
        intents: [{ key: keyOf(intent), kind: 'blackhole', intent }],
        apply: [{ line: 'ip route 203.0.113.0/26 blackhole tag 666' }],
        undo: [{ line: 'router bgp <asn>', needs: 'device' }],
        transaction: 'each line is live when typed',
        notes: [],
      },
    ],
    leftOut: [],
    empty: [],
    notCovered: [],
    warnings: [],
  }
}

interface Parts {
  readonly store: Store
  readonly clock: Clock
  readonly callers: Caller[]
  readonly book: Book
}

function createController({ store, clock, callers, book }: Parts): Controller {
  const accepted = new Map<string, { readonly body: string; readonly enforcement: string }>()
  const existing = (caller: Caller, id: string): Enforcement => {
    callers.push(caller)
    const found = store.read((rows) => rows.enforcement(id))
    if (found === undefined) throw new ControllerError('not_found', `there is no enforcement ${id}`)
    return found
  }
  const keep = async (plan: Plan) => {
    await store.commit((tx) => tx.putPlan(plan))
    return plan
  }
  const freeze = () => store.read((rows) => rows.freeze())
  return {
    store,
    inventory: () => inventory,
    playbooks: () => new Map([[playbook.name, playbook]]),
    plan: (_caller, decision) => keep(planOf(decision)),
    planRelease: async (caller, id) => {
      existing(caller, id)
      return keep(planOf(undefined))
    },
    async enforce(caller, request, { key, bodySha256 }) {
      callers.push(caller)
      const before = key === undefined ? undefined : accepted.get(key)
      if (before !== undefined) {
        if (before.body !== bodySha256) {
          throw new ControllerError('idempotency_mismatch', 'this key came with another body')
        }
        return { enforcement: existing(caller, before.enforcement), replayed: true }
      }
      if (request.kind === 'plan' && store.read((rows) => rows.plan(request.plan)) === undefined) {
        throw new ControllerError('not_found', `there is no plan ${request.plan}`)
      }
      const made = await book.insert(
        request.kind === 'plan' ? suspend : request.decision,
        'enforcing',
      )
      if (key !== undefined) accepted.set(key, { body: bodySha256, enforcement: made.id })
      return { enforcement: made, replayed: false }
    },
    approve: async (caller, id) => existing(caller, id),
    reject: async (caller, id) => existing(caller, id),
    release: async (caller, id) => existing(caller, id),
    extend: async (caller, id) => existing(caller, id),
    retry: async (caller, id) => existing(caller, id),
    freeze: (caller, reason) =>
      store.commit((tx) => {
        const made = { since: clock.now().toISOString(), by: caller.person, reason }
        tx.setFreeze(made)
        return made
      }),
    unfreeze: async () => {
      await store.commit((tx) => tx.setFreeze(undefined))
    },
    acknowledgeClock: async () => undefined,
    check: async () => ({
      findings: [{ name: 'login', ok: true, found: 'ok', expected: 'ok', remedy: '' }],
    }),
    reconcile: async () => undefined,
    adopt: async () => undefined,
    reload: async () => ({ ok: true, problems: [], conflicts: [], devices: 2, customers: 2 }),
    createToken: (caller, request) =>
      createToken(
        store,
        { actor: caller.actor, person: caller.person, id: ulid(), at: clock.now().toISOString() },
        request,
      ),
    revokeToken: (caller, id) =>
      revokeToken(store, { actor: caller.actor, at: clock.now().toISOString() }, id),
    lookup: (ip) => ({
      address: ip,
      ...(ip.startsWith('203.0.113.') ? { customer: 'esthost', prefix: '203.0.113.0/26' } : {}),
      protected: [],
      neverCut: [],
      enforcements: store.read((rows) => rows.live()).map(({ id }) => id),
    }),
    deviceIds: () => [...inventory.devices.keys()].sort(),
    device: (id) =>
      store.read((rows) => {
        const device = inventory.devices.get(id)
        const state = rows.device(id) ?? {
          device: id,
          state: 'unknown',
          unsaved: false,
          step: 0,
          states: [],
          orphans: [],
        }
        return device === undefined
          ? undefined
          : { device, retired: false, state, wanted: rows.wanted({ device: id }) }
      }),
    holds: () => {
      const found = freeze()
      return found === undefined ? {} : { freeze: found }
    },
    ready: () => ({ ok: true, reasons: [] }),
  }
}
