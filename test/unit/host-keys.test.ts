import { createHmac } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { fingerprint, hostKeyFault, knownKinds, parseKnownHosts } from '../../agent/host-keys.ts'

function keyOf(kind: string, seed: string): Buffer {
  const length = Buffer.alloc(4)
  length.writeUInt32BE(kind.length)
  return Buffer.concat([length, Buffer.from(kind), Buffer.from(seed.padEnd(40, '.'))])
}

const key = keyOf('ssh-ed25519', 'one')
const other = keyOf('ssh-ed25519', 'two')
const line = (hosts: string, k = key, kind = 'ssh-ed25519'): string =>
  `${hosts} ${kind} ${k.toString('base64')} a comment`

function hashed(host: string): string {
  const salt = Buffer.from('saltsaltsaltsaltsalt')
  const hash = createHmac('sha1', salt).update(host).digest('base64')
  return `|1|${salt.toString('base64')}|${hash}`
}

function faultOf(text: string, host = '192.0.2.1', port = 22, shown = key) {
  return hostKeyFault(parseKnownHosts(text, 'known_hosts'), shown, {
    host,
    port,
    file: 'known_hosts',
  })
}

describe('a host key', () => {
  it.each([
    ['plain', line('192.0.2.1'), '192.0.2.1', 22],
    ['in a list', line('edge1,192.0.2.1'), '192.0.2.1', 22],
    ['with a port', line('[192.0.2.1]:2222'), '192.0.2.1', 2222],
    ['IPv6 with a port', line('[2001:db8::1]:2222'), '2001:db8::1', 2222],
    ['IPv6', line('2001:db8::1'), '2001:db8::1', 22],
    ['hashed', line(hashed('192.0.2.1')), '192.0.2.1', 22],
    ['hashed with a port', line(hashed('[192.0.2.1]:2222')), '192.0.2.1', 2222],
    ['by wildcard', line('192.0.2.?,198.51.100.*'), '192.0.2.1', 22],
    ['by wildcard over ports', line('[192.0.2.*]:*'), '192.0.2.1', 2222],
    ['among comments and empty lines', `# x\n\n${line('192.0.2.1')}\r\n`, '192.0.2.1', 22],
  ])('is known: %s', (_what, text, host, port) => {
    expect(faultOf(text, host, port)).toBeUndefined()
  })

  it.each([
    ['another host', line('192.0.2.10'), '192.0.2.1', 22],
    ['another port', line('192.0.2.1'), '192.0.2.1', 2222],
    ['the port only with brackets', line('192.0.2.1:2222'), '192.0.2.1', 2222],
    ['a negated pattern', line('192.0.2.*,!192.0.2.1'), '192.0.2.1', 22],
    ['a dot is a dot', line('192.0.2.1'), '192x0y2z1', 22],
    ['another hash', line(hashed('192.0.2.2')), '192.0.2.1', 22],
    ['an empty file', '', '192.0.2.1', 22],
    ['a certificate authority', `@cert-authority ${line('*')}`, '192.0.2.1', 22],
  ])('is unknown: %s', (_what, text, host, port) => {
    const fault = faultOf(text, host, port)
    expect(fault?.code).toBe('host_key_unknown')
    expect(fault?.message).toContain(fingerprint(key))
  })

  it('that is another one than before is refused, naming both and the line', () => {
    const fault = faultOf(`\n${line('192.0.2.1', other)}`)
    expect(fault?.code).toBe('host_key_changed')
    expect(fault?.message).toContain(`${fingerprint(other)} (known_hosts:2)`)
  })

  it('that is revoked for it is refused though a line before revokes it for another host', () => {
    const fault = faultOf(
      `@revoked ${line('192.0.2.200')}\n@revoked ${line('192.0.2.1')}\n${line('192.0.2.1')}`,
    )
    expect(fault?.code).toBe('host_key_changed')
    expect(fault?.message).toContain('known_hosts:2 says is revoked')
  })

  it('that is revoked is refused even if another line knows it', () => {
    const fault = faultOf(`${line('192.0.2.1')}\n@revoked ${line('*')}`)
    expect(fault?.code).toBe('host_key_changed')
    expect(fault?.message).toContain('known_hosts:2')
  })

  it('of one kind is asked for by the kinds that are known', () => {
    const rsa = keyOf('ssh-rsa', 'r')
    const text = `${line('192.0.2.1', rsa, 'ssh-rsa')}\n${line('192.0.2.1')}\n${line('192.0.2.2')}`
    expect(knownKinds(parseKnownHosts(text, 'f'), '192.0.2.1', 22)).toEqual([
      'ssh-rsa',
      'ssh-ed25519',
    ])
  })
})

describe('a line of known_hosts that cannot be used', () => {
  it.each([
    ['192.0.2.1 ssh-ed25519', 'found 2 fields, expected three'],
    ['192.0.2.1 ssh-ed25519 no!base64', 'base64'],
    [line('192.0.2.1', key, 'ssh-rsa'), 'found a key of the kind ssh-ed25519, expected ssh-rsa'],
    [`|2|a|b ssh-ed25519 ${key.toString('base64')}`, '|1|salt|hash'],
    [`@maybe ${line('192.0.2.1')}`, '@maybe'],
    [`@cert-authority ${line('*')}`, 'not supported'],
  ])('is named with its place: %s', (text, expected) => {
    const known = parseKnownHosts(`# first\n${text}`, 'known_hosts')
    expect(known.keys).toEqual([])
    expect(known.problems[0]).toMatchObject({ file: 'known_hosts', line: 2 })
    expect(known.problems[0]?.message).toContain(expected)
  })
})
