import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { agentErrorCodes } from '../../agent/errors.ts'
import { controllerErrors } from '../../controller/errors.ts'

const page = readFileSync(new URL('../../docs/errors.md', import.meta.url), 'utf8')
const [ofController = '', ofDevices = ''] = page.split('## Of the dialogue with a device')

function codesIn(text: string): readonly string[] {
  return [...text.matchAll(/^\| `([a-z_]+)` \|/gm)].map((match) => match[1] ?? '')
}

describe('docs/errors.md', () => {
  it('lists the controller’s codes with their HTTP status and exit code, no more and no fewer', () => {
    const rows = Object.entries(controllerErrors).map(
      ([code, { status, exit }]) => `| \`${code}\` | ${status} | ${exit} |`,
    )

    expect(codesIn(ofController)).toEqual(Object.keys(controllerErrors))
    expect(rows.filter((row) => !ofController.includes(row))).toEqual([])
  })

  it('lists the codes of a dialogue with a device, no more and no fewer', () => {
    expect(codesIn(ofDevices)).toEqual(Object.keys(agentErrorCodes))
  })

  it('says of each of them what the product says', () => {
    const rows = Object.entries(agentErrorCodes).map(
      ([code, remedy]) => `| \`${code}\` | ${remedy[0]?.toUpperCase()}${remedy.slice(1)}. |`,
    )
    expect(rows.filter((row) => !ofDevices.includes(row))).toEqual([])
  })
})
