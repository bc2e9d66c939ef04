import { describe, expect, it } from 'vitest'
import { platforms } from '../../agent/platforms/index.ts'

const seen = { host: 'r1', nonce: '00000000', facts: {} }

function asked(name: string, roles: readonly string[]): readonly string[] {
  const platform = platforms.get(name)
  return (platform?.preflight.reads(roles, seen) ?? []).map(({ line }) => line.text)
}

describe.each(['cisco_ios', 'juniper_junos'])('the preflight of %s', (name) => {
  const filters = /object-group|prefix-list nullroute/

  it('asks an edge for its filters, and an access switch for none', () => {
    expect(asked(name, ['edge']).filter((line) => filters.test(line))).not.toEqual([])
    expect(asked(name, ['access']).filter((line) => filters.test(line))).toEqual([])
  })

  it('asks nothing that changes anything', () => {
    const lines = asked(name, ['edge', 'rtbh-trigger', 'access'])

    expect(lines.filter((line) => !line.startsWith('show '))).toEqual([])
  })
})
