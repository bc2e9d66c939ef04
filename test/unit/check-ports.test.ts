// What `device check` says of the customers' ports, of whatever platform.

import { expect, it } from 'vitest'
import { AgentError } from '../../agent/errors.ts'
import { type Intent, keyOf } from '../../agent/intents.ts'
import type { Found, Observation } from '../../agent/platform.ts'
import { portFindings } from '../../controller/desk/check-ports.ts'
import { customer, isp, port, prt } from './small-isp.ts'

const inventory = isp({
  customers: new Map([
    [
      'esthost',
      customer('esthost', [], {
        ports: [
          { device: 'sw1', interface: prt('p1') },
          { device: 'sw1', interface: prt('p2') },
          { device: 'sw2', interface: prt('p9') },
        ],
      }),
    ],
    ['other', customer('other', [], { ports: [{ device: 'sw1', interface: prt('p3') }] })],
  ]),
})

const up = { object: [], effect: 'none', mark: 'unmarkable', inForce: 'no' } as const

/** A device that shows these ports. */
const reading =
  (shown: Readonly<Record<string, Omit<Found, 'key'>>>) =>
  (intents: readonly Intent[]): Promise<Observation> => {
    const found = new Map(
      intents.map(keyOf).map((key) => [key, { key, ...(shown[key] ?? up) }] as const),
    )
    return Promise.resolve({ found, marked: [], facts: {} })
  }

it('has one for each port on this device, of all customers, with what stands against it', async () => {
  const message = 'our own session comes in by p1: it could never be brought back'
  const agent = reading({
    [keyOf(port('p1'))]: { ...up, stop: { code: 'not_restorable', message, remedy: 'correct it' } },
    [keyOf(port('p2'))]: { ...up, note: 'p2 is a trunk' },
  })
  const findings = await portFindings(agent, inventory, 'sw1')
  expect(findings.map(({ name, ok, found }) => [name, ok, found])).toEqual([
    ['port p1', false, message],
    ['port p2', false, 'p2 is a trunk'],
    ['port p3', true, 'can be taken down and brought back'],
  ])
  expect(findings[0]?.remedy).toBe('correct it')
})

it('says it where the ports could not be read, and asks nothing where there are none', async () => {
  const failing = () => Promise.reject(new AgentError('unknown_output', 'what is this'))
  expect(await portFindings(failing, inventory, 'sw1')).toMatchObject([
    { name: 'customer ports', ok: false, found: 'unknown_output: what is this' },
  ])
  expect(await portFindings(failing, inventory, 'edge7')).toEqual([])
})
