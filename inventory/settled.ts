// Which entries of a large inventory need no schema: those that it would give back as they are. Says only yes or no; whatever is not surely right goes
// through the schema, which alone says what is wrong. A test holds each yes against the schema.

import * as z from 'zod'
import { idPattern, parsePortName } from './model.ts'
import { isCanonicalAddress, isCanonicalPrefix } from './prefix-words.ts'

type Test = (value: unknown) => boolean

/** Whether the customer's entry is right and would come out of the schema unchanged. */
export const isSettledCustomer: Test = object(
  {
    name: isText,
    prefixes: list((value) => typeof value === 'string' && isCanonicalPrefix(value)),
    ports: list(object({ device: isId, interface: isPort }, ['device', 'interface'])),
    neighbors: list(object({ device: isId, address: isAddress }, ['device', 'address'])),
    contacts: list(object({ email: isEmail }, ['email'])),
  },
  ['name'],
)

/** The same of a device's entry. */
export const isSettledDevice: Test = object(
  {
    group: isId,
    platform: isText,
    address: isAddress,
    port: (value) => Number.isInteger(value) && Number(value) >= 1 && Number(value) <= 65_535,
    site: isText,
    roles: list(isId),
    loopbacks: list(isAddress),
    gateways: list(isAddress),
    nextHops: list(isAddress),
    uplinks: list(isPort),
  },
  ['address'],
)

function object(fields: Readonly<Record<string, Test>>, needed: readonly string[]): Test {
  const tests = new Map(Object.entries(fields))
  return (value) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return false
    let missing = needed.length
    for (const [name, inner] of Object.entries(value)) {
      if (tests.get(name)?.(inner) !== true) return false
      if (needed.includes(name)) missing--
    }
    return missing === 0
  }
}

function list(test: Test): Test {
  return (value) => Array.isArray(value) && value.every((each) => test(each))
}

// Other scripts and signs are right as well, but for the schema to say.
function isText(value: unknown): boolean {
  return typeof value === 'string' && /^[ -~]{1,200}$/.test(value)
}

function isId(value: unknown): boolean {
  return typeof value === 'string' && idPattern.test(value)
}

function isPort(value: unknown): boolean {
  return typeof value === 'string' && parsePortName(value) !== undefined
}

function isAddress(value: unknown): boolean {
  return typeof value === 'string' && isCanonicalAddress(value)
}

function isEmail(value: unknown): boolean {
  return typeof value === 'string' && z.regexes.email.test(value)
}
