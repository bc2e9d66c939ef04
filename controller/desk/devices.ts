// What engineers ask about one device: check it, converge it now, take off or take over what is ours by its looks and has no claim.

import type { Agent } from '../../agent/agent.ts'
import { sameObject } from '../../agent/diff.ts'
import { AgentError } from '../../agent/errors.ts'
import { type Intent, type Key, keyOf, parseCliText } from '../../agent/intents.ts'
import type { Reading } from '../../agent/journal.ts'
import type { Finding, Found } from '../../agent/platform.ts'
import { type Id, parsePortName } from '../../inventory/model.ts'
import { parseAddress, parsePrefix } from '../../inventory/prefix.ts'
import type { Json } from '../audit/record.ts'
import type { Caller } from '../controller.ts'
import { deviceState } from '../device-state.ts'
import { ControllerError } from '../errors.ts'
import { reachable, rememberAs } from '../recover.ts'
import type { DeviceState } from '../store/store.ts'
import { portFindings } from './check-ports.ts'
import { by, type Desk, need } from './desk.ts'

/** Connects, runs the preflight and reads all that is wanted or held. A device that can't be reached is a finding, not an error. Throws AgentError `busy`. */
export async function check(
  desk: Desk,
  caller: Caller,
  device: Id,
): Promise<{ readonly findings: readonly Finding[]; readonly reading?: Reading }> {
  const agent = await agentOf(desk, device)
  const result = await agent.check().then(
    async (reading) => {
      const read = async (intents: readonly Intent[]) =>
        (await agent.read(intents, [], 'further')).observation
      const ports = await portFindings(read, desk.world().inventory, device)
      return { findings: [...reading.findings, ...ports], reading }
    },
    (fault: unknown) => {
      if (!(fault instanceof AgentError) || fault.code === 'busy') throw fault
      return { findings: [unreachable(fault)] }
    },
  )
  await desk.store.commit((tx) => {
    const findings: Json = result.findings.map(({ name, ok, found }) => ({ name, ok, found }))
    const outcome = result.findings.every(({ ok }) => ok) ? 'ok' : 'failed'
    tx.append({
      type: 'device.checked',
      outcome,
      ...by(caller),
      on: { device },
      data: { findings },
    })
  })
  return result
}

/** Converges now. With `remove`, orphans are claimed first as they stand, so that the convergence lifts them. */
export async function reconcile(
  desk: Desk,
  caller: Caller,
  device: Id,
  remove?: { readonly keys: readonly string[]; readonly reason: string },
): Promise<void> {
  await agentOf(desk, device)
  if (remove !== undefined) await adopt(desk, caller, device, remove)
  desk.fleet.wake(device, 'change')
}

/** Makes claims for objects without one that carry our mark, or are equal to what we lifted last: what is wanted stays, what isn't is lifted at the next convergence. Each key must be an orphan in a fresh read. */
export async function adopt(
  desk: Desk,
  caller: Caller,
  device: Id,
  request: { readonly keys: readonly string[]; readonly reason: string },
): Promise<void> {
  need(caller, 'admin', 'taking over an object')
  const reading = await (await agentOf(desk, device)).read(request.keys.map((key) => intentOf(key)))
  const found = new Map<string, Found>([
    ...reading.observation.found,
    ...reading.observation.marked.map((one) => [one.key, one] as const),
  ])
  const known = reachable(desk.world(), desk.store, device)
  await desk.store.commit((tx) => {
    const claimed = new Set<string>(tx.claims(device).map(({ key }) => key))
    const state = deviceState(tx, device)
    for (const key of request.keys) {
      const object = found.get(key)
      if (object === undefined || !isOrphan(object, state) || claimed.has(key)) {
        throw new ControllerError(
          'not_found',
          `${key} is no orphan on ${device}: \`nullroute device show ${device}\` lists what carries our mark without a claim, or is equal to what was lifted last`,
        )
      }
      tx.putClaim(device, {
        key: object.key,
        intent: state.lifted?.find((one) => one.key === key)?.intent ?? intentOf(key),
        before: [],
        wrote: object.object,
        phase: 'held',
        step: state.step,
      })
    }
    tx.putDevice({
      ...state,
      ...(known === undefined ? {} : { lastKnown: rememberAs(known) }),
      orphans: state.orphans.filter(({ key }) => !request.keys.includes(key)),
    })
    tx.append({
      type: 'device.adopted',
      outcome: 'ok',
      ...by(caller),
      on: { device },
      data: { intents: request.keys.map((key) => adopted(key, found)), reason: request.reason },
    })
  })
}

/** By its mark; where there is none, by being what we wrote and lifted. */
function isOrphan({ key, object, mark }: Found, { lifted = [] }: DeviceState): boolean {
  return mark === 'ours' || lifted.some((one) => one.key === key && sameObject(one.wrote, object))
}

function adopted(key: string, found: ReadonlyMap<string, Found>): Json {
  return { key, before: [], wrote: found.get(key)?.object ?? [] }
}

async function agentOf(desk: Desk, device: Id): Promise<Agent> {
  const agent = await desk.fleet.agent(device)
  if (agent === undefined) {
    throw new ControllerError(
      'not_found',
      `there is no device ${device} in the inventory: \`nullroute device list\` shows all`,
    )
  }
  return agent
}

function unreachable(fault: AgentError): Finding {
  return {
    name: 'session',
    ok: false,
    found: `${fault.code}: ${fault.message}`,
    expected: 'an SSH session',
    remedy: fault.remedy,
  }
}

/** The intent that a key names; attributes that a key doesn't hold are filled so that nothing equals them. Throws ControllerError `invalid_request`. */
function intentOf(key: string): Intent {
  const intent = parseKey(key)
  if (intent === undefined || (keyOf(intent) as Key) !== key) {
    throw new ControllerError(
      'invalid_request',
      `"${key}" is no key: expected such as blackhole|default|203.0.113.9/32`,
    )
  }
  return intent
}

function parseKey(key: string): Intent | undefined {
  const [kind = '', one = '', two = ''] = key.split('|')
  switch (kind) {
    case 'port': {
      const port = parsePortName(one)
      return port === undefined ? undefined : { kind, port }
    }
    case 'neighbor': {
      const peer = parseAddress(two)
      const message = parseCliText('adopted')
      if (!peer.ok || message === undefined) return undefined
      return { kind, vrf: one, peer: peer.value, message }
    }
    default:
      return parsePrefixKey(kind, one, two)
  }
}

function parsePrefixKey(kind: string, one: string, two: string): Intent | undefined {
  const prefix = parsePrefix(two)
  if (!prefix.ok) return undefined
  if (kind === 'blackhole') return { kind, vrf: one, prefix: prefix.value, tag: 0 }
  if (kind === 'acl' && (one === 'in' || one === 'out')) {
    return { kind, direction: one, prefix: prefix.value }
  }
  return undefined
}
