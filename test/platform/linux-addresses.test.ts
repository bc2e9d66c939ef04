// IPv6 addresses of a Linux port: which come back when it does. What the kernel does was tried on one of 6.18.

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Stop } from '../../agent/platform.ts'
import { isMadeOf } from '../../agent/platforms/link-local.ts'
import { linux } from '../../agent/platforms/linux/linux.ts'
import { baseOf, parsePrefix } from '../../inventory/prefix.ts'
import { foundFor, observed, port } from './conformance-kit.ts'

const mac = '82:cc:43:33:a8:37'
const made = 'fe80::80cc:43ff:fe33:a837'
const forever = 4_294_967_295

interface Host {
  readonly addresses: readonly object[]
  /** What `sysctl -n` says: of all interfaces, of this one. */
  readonly keep?: string
  /** Null: an ip that does not say it. */
  readonly mode?: string | null
  readonly hardware?: string
}

function stopOf({
  addresses,
  keep = '0\n0\n',
  mode = 'eui64',
  hardware = mac,
}: Host): Stop | undefined {
  const own = { ifname: 'p1', flags: ['UP'], address: hardware }
  const texts: Readonly<Record<string, string>> = {
    'ip -j -d link show': JSON.stringify([
      { ...own, ...(mode === null ? {} : { inet6_addr_gen_mode: mode }) },
    ]),
    'ip -j link show dev p1': JSON.stringify([own]),
    'ip -j addr show dev p1': JSON.stringify([{ ...own, addr_info: addresses }]),
    'sysctl -n net.ipv6.conf.all.keep_addr_on_down net.ipv6.conf.p1.keep_addr_on_down': keep,
  }
  const table: Record<string, string> = {}
  for (const { line } of linux.observe([intent], { host: '', nonce: '', facts: {} })) {
    table[line.text] = texts[line.text] ?? (line.text.startsWith('ip -o ') ? '' : '[]')
  }
  return foundFor(observed(linux, [intent], table), intent).stop
}

const intent = port('p1')

function local(address: string, more: object = {}): object {
  return { family: 'inet6', local: address, prefixlen: 64, scope: 'link', ...more }
}

function global(more: object = {}): object {
  return {
    family: 'inet6',
    local: '2001:db8::1',
    prefixlen: 64,
    scope: 'global',
    valid_life_time: forever,
    ...more,
  }
}

describe('a link-local address of a Linux port', () => {
  it.each([
    ['made of the hardware address', local(made), 'eui64'],
    ['so made, by an ip that does not say how', local(made), null],
    ['so made, and said to be the kernel’s', local(made, { protocol: 'kernel_ll' }), 'eui64'],
    [
      'of a stable secret',
      local('fe80::8b1c:1553:6b0e:e564', { 'stable-privacy': true }),
      'stable_secret',
    ],
    ['at random', local('fe80::8b1c:1553:6b0e:e564', { protocol: 'kernel_ll' }), 'random'],
  ])('%s comes back', (_, address, mode) => {
    expect(stopOf({ addresses: [address], mode })).toBeUndefined()
  })

  it.each([
    ['by hand', local('fe80::1'), 'eui64'],
    ['by hand, with a length of its own', local(made, { prefixlen: 128 }), 'eui64'],
    [
      'of an earlier hardware address',
      local('fe80::1:2ff:fe03:405', { protocol: 'kernel_ll' }),
      'eui64',
    ],
    ['of the hardware address, where the kernel makes none', local(made), 'none'],
    ['of the hardware address, where the kernel makes another', local(made), 'stable_secret'],
    ['by hand, where the kernel makes one at random', local('fe80::1'), 'random'],
    ['of a way that nobody knows', local(made, { protocol: 'kernel_ll' }), '0x9'],
    ['by hand, that stands elsewhere in fe80::/10', local('febf::1'), 'eui64'],
  ])('%s is lost for good, whatever the kernel is told to keep', (_, address, mode) => {
    for (const keep of ['0\n0\n', '0\n1\n', '1\n0\n']) {
      const stop = stopOf({ addresses: [address], mode, keep })
      expect(stop).toMatchObject({
        code: 'not_restorable',
        remedy: expect.stringContaining('on a bridge above the port') as string,
      })
      expect(stop?.remedy).not.toContain('keep_addr_on_down')
    }
  })

  it('is named, alone', () => {
    const stop = stopOf({ addresses: [local(made), local('fe80::1')] })
    expect(stop?.message).toBe('p1 would lose fe80::1/64 for good')
  })

  it('is lost where the interface has no hardware address that one could be made of', () => {
    expect(stopOf({ addresses: [local(made)], hardware: '192.0.2.1' })?.code).toBe('not_restorable')
  })
})

describe('a global IPv6 address of a Linux port', () => {
  it.each([
    ['0\n1\n', true],
    ['1\n0\n', true],
    ['2\n0\n', true],
    ['1\n-1\n', true],
    ['0\n0\n', false],
    ['0\n-1\n', false],
    ['-1\n0\n', false],
    ['-1\n1\n', false],
    ['sysctl: cannot stat /proc/sys/net/ipv6/conf/all/keep_addr_on_down: No such file\n', false],
  ])('with the settings %j stays: %s', (keep, stays) => {
    expect(stopOf({ addresses: [global()], keep }) === undefined).toBe(stays)
  })

  it('has a remedy that would help', () => {
    const remedy = (keep: string) => stopOf({ addresses: [global()], keep })?.remedy
    expect(remedy('0\n-1\n')).toMatch(/^set net\.ipv6\.conf\.<port>\.keep_addr_on_down=1; or /)
    expect(remedy('-1\n1\n')).toMatch(/^set net\.ipv6\.conf\.all\.keep_addr_on_down=1; or /)
  })

  it.each([{ dynamic: true }, { valid_life_time: 900 }])(
    'that stands for a time only (%o) is lost even where others are kept',
    (more) => {
      const stop = stopOf({ addresses: [global(more)], keep: '0\n1\n' })
      expect(stop?.message).toBe('p1 would lose 2001:db8::1/64 for good')
      expect(stop?.remedy).toContain('without a lifetime')
    },
  )
})

describe('the address that a kernel makes of a hardware address', () => {
  it.each([
    [mac, `${made}/64`],
    ['02:00:00:00:00:09', 'fe80::ff:fe00:9/64'],
    ['52:54:00:00:00:00', 'fe80::5054:ff:fe00:0/64'],
  ])('of %s is %s', (hardware, address) => {
    expect(isMadeOf(hardware, address)).toBe(true)
    expect(isMadeOf(hardware, address.replace('/64', '/10'))).toBe(false)
  })

  it('is written as addresses are, and of no other hardware address', () => {
    const bytes = fc.array(fc.integer({ min: 0, max: 255 }), { minLength: 6, maxLength: 6 })
    fc.assert(
      fc.property(bytes, bytes, (one, other) => {
        const [text, foreign] = [one, other].map((list) => list.map(hex).join(':'))
        const [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0] = one
        const long = [
          [a ^ 2, b],
          [c, 0xff],
          [0xfe, d],
          [e, f],
        ].map((pair) => pair.map(hex).join(''))
        const parsed = parsePrefix(`fe80::${long.join(':')}/128`)
        const address = parsed.ok ? `${baseOf(parsed.value)}/64` : ''
        expect(isMadeOf(text, address)).toBe(true)
        expect(isMadeOf(foreign, address)).toBe(text === foreign)
      }),
    )
  })
})

function hex(byte: number): string {
  return byte.toString(16).padStart(2, '0')
}
