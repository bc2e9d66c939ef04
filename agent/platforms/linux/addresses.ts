// IPv6 addresses that a port loses for good where it goes down: what the kernel neither keeps nor makes again.

import { z } from 'zod'
import type { PortName } from '../../../inventory/model.ts'
import { type Answer, free, type Read } from '../../platform.ts'
import { isLinkLocal, isMadeOf } from '../link-local.ts'
import { answerTo, readJson } from '../output.ts'
import type { Link } from './session-way.ts'

const address = z.object({
  family: z.string(),
  local: z.string(),
  prefixlen: z.number(),
  dynamic: z.boolean().optional(),
  valid_life_time: z.number().optional(),
  protocol: z.string().optional(),
  'stable-privacy': z.boolean().optional(),
})

type Address = z.infer<typeof address>

const addressList = z.array(z.object({ ifname: z.string(), addr_info: z.array(address) }))

/** Reads the addresses of a port. */
export function addressesRead(port: PortName): Read {
  return { what: `addr|${port}`, line: free(`ip -j addr show dev ${port}`, 'shell') }
}

/** Reads whether the kernel keeps the addresses of a port that goes down. */
export function keepRead(port: PortName): Read {
  const own = `net.ipv6.conf.${port.replaceAll('.', '/')}.keep_addr_on_down`
  const text = `sysctl -n net.ipv6.conf.all.keep_addr_on_down ${own}`
  return { what: `keep|${port}`, line: free(text, 'shell') }
}

/** What would be lost, and what to do about each kind of it. */
export interface LostAddresses {
  readonly lost: readonly string[]
  readonly remedies: readonly string[]
}

/** The addresses that a port, with what the list of all says of it, would lose for good. */
export function lostAddresses(
  { ifname: port, address: mac, inet6_addr_gen_mode: mode = 'eui64' }: Link,
  answers: ReadonlyMap<string, Answer>,
): LostAddresses {
  const [entry] = readJson(
    answerTo(answers, `addr|${port}`),
    addressList,
    'the addresses of an interface as JSON',
  )
  const keep = keeps(answerTo(answers, `keep|${port}`))
  const found = (entry?.addr_info ?? []).flatMap((one) => {
    if (one.family !== 'inet6') return []
    const why = lostWhy(one, { mac, mode, keep: keep.kept })
    return why === undefined ? [] : [{ text: textOf(one), why }]
  })
  const remedies = {
    'not kept': `set net.ipv6.conf.${keep.decides}.keep_addr_on_down=1`,
    'for a time': 'set addresses without a lifetime',
    local:
      'set the link-local address on a bridge above the port instead, or let FRR hold it and name the port as one of an frr device',
  } as const
  return {
    lost: found.map(({ text }) => text),
    remedies: [...new Set(found.map(({ why }) => why))].map((why) => remedies[why]),
  }
}

interface Kept {
  readonly kept: boolean
  /** Which setting it hangs on: that of all interfaces wins unless it is 0. */
  readonly decides: 'all' | '<port>'
}

/** An answer of other than two numbers (a kernel without the setting) keeps nothing. */
function keeps(answer: Answer): Kept {
  const [, all = '0', own = '0'] = /^\s*(-?\d+)\s+(-?\d+)\s*$/.exec(answer.text) ?? []
  const decides = Number(all) === 0 ? '<port>' : 'all'
  return { kept: Number(decides === 'all' ? all : own) > 0, decides }
}

interface Maker {
  readonly mac: string | undefined
  /** How the kernel makes the link-local address of this interface. */
  readonly mode: string
  readonly keep: boolean
}

function lostWhy(
  one: Address,
  { mac, mode, keep }: Maker,
): 'not kept' | 'for a time' | 'local' | undefined {
  // Whatever is set, the kernel keeps no address of these two kinds.
  if (isLinkLocal(one.local) || one.local === '::1') {
    return isMadeAgain(one, mac, mode) ? undefined : 'local'
  }
  if (one.dynamic === true || (one.valid_life_time ?? forever) < forever) return 'for a time'
  return keep ? undefined : 'not kept'
}

const forever = 0xffff_ffff

/** Whether the kernel will make just this address when the port comes up. */
function isMadeAgain(one: Address, mac: string | undefined, mode: string): boolean {
  switch (mode) {
    case 'eui64':
      // Also where the kernel says that it made another one: that was of an earlier hardware address.
      return isMadeOf(mac, textOf(one))
    case 'stable_secret':
    case 'random':
      // The secret stays with the interface; nobody but the kernel can set these two signs.
      return one['stable-privacy'] === true || one.protocol === 'kernel_ll'
    default:
      return false
  }
}

function textOf({ local, prefixlen }: Address): string {
  return `${local}/${prefixlen}`
}
