import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parseKnownHosts } from '../../agent/host-keys.ts'
import { judgeKeys, type ShownKey, withNewKeys } from '../../controller/cli/keys-merge.ts'

const ed25519 = 'ssh-ed25519'

const rsa = 'ssh-rsa'

/** A host key in its wire form: length and name of its kind, then bytes. */
function keyOf(seed: number, kind = ed25519): Buffer {
  const head = Buffer.alloc(4)
  head.writeUInt32BE(kind.length)
  return Buffer.concat([head, Buffer.from(kind), Buffer.alloc(32, seed)])
}

function shown(id: string, seed: number, port = 22): ShownKey {
  return { id, address: '198.51.100.1', port, kind: ed25519, key: keyOf(seed) }
}

function line(seed: number, host = '198.51.100.1', marker = '', kind = ed25519): string {
  return `${marker}${host} ${kind} ${keyOf(seed, kind).toString('base64')}\n`
}

describe('a shown host key', () => {
  it.each([
    ['new', '', 'new'],
    ['new on another port', line(1, '[198.51.100.1]:2222'), 'new'],
    ['known', line(1), 'known'],
    ['known beside another', line(2) + line(1), 'known'],
    ['other than the known one', line(2), 'differs'],
    ['other than the known one of another algorithm', line(2, '198.51.100.1', '', rsa), 'differs'],
    ['revoked', line(1, '198.51.100.1', '@revoked '), 'revoked'],
    ['revoked, though it is also known', line(1) + line(1, '198.51.100.1', '@revoked '), 'revoked'],
    ['new where only an old one is revoked', line(2, '198.51.100.1', '@revoked '), 'new'],
  ])('is %s', (_name, text, state) => {
    expect(judgeKeys(text, 'known_hosts', [shown('r1', 1)])).toMatchObject([{ state }])
  })

  it('that differs names the keys that were expected, and where they stand', () => {
    const [judged] = judgeKeys(`# r1\n${line(2)}`, 'known_hosts', [shown('r1', 1)])
    expect(judged?.expected).toEqual([
      expect.stringMatching(/^ssh-ed25519 SHA256:\S{43} \(known_hosts:2\)$/),
    ])
  })

  it('is found again in the file that it was added to, as bare address or with its port', () => {
    const keys = [shown('r1', 1), shown('r2', 2, 2222)]
    const text = withNewKeys('', judgeKeys('', 'known_hosts', keys))
    expect(parseKnownHosts(text, 'known_hosts').problems).toEqual([])
    const states = judgeKeys(text, 'known_hosts', keys).map(({ state }) => state)
    expect(states).toEqual(['known', 'known'])
  })

  it('never takes the place of a line: whatever the file holds stays, and only new keys follow', () => {
    const text = fc.array(
      fc.oneof(
        fc.integer({ min: 0, max: 3 }).map((seed) => line(seed)),
        fc.integer({ min: 0, max: 3 }).map((seed) => line(seed, '198.51.100.1', '@revoked ')),
        fc.constant('# a remark\n'),
        fc.constant('no line of known_hosts\n'),
      ),
    )
    fc.assert(
      fc.property(text, fc.integer({ min: 0, max: 3 }), (lines, seed) => {
        const before = lines.join('')
        const judged = judgeKeys(before, 'known_hosts', [shown('r1', seed)])
        const after = withNewKeys(before, judged)
        expect(after.startsWith(before)).toBe(true)
        expect(after === before).toBe(judged[0]?.state !== 'new')
      }),
    )
  })

  it('begins a line of its own where the file has no last line end', () => {
    const before = line(9, '192.0.2.9').trimEnd()
    const after = withNewKeys(before, judgeKeys(before, 'known_hosts', [shown('r1', 1)]))
    expect(parseKnownHosts(after, 'known_hosts').keys).toHaveLength(2)
  })
})
