import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { withDemoCredentials } from '../../controller/cli/demo-credentials.ts'
import { here, invocation, shell } from '../../controller/cli/invocation.ts'

describe('a command that the program prints begins as the program was called', () => {
  it.each([
    ['from the source tree', {}, '/isp/controller/cli/main.ts', 'npm run -s nullroute --'],
    ['by npx', { npm_command: 'exec' }, '/isp/node_modules/.bin/nullroute', 'npx nullroute'],
    ['from node_modules', {}, '/isp/node_modules/.bin/nullroute', 'npx nullroute'],
    ['from the path', {}, '/usr/local/bin/nullroute', 'nullroute'],
    ['by node', {}, '/isp/dist/controller/cli/main.js', 'node dist/controller/cli/main.js'],
    ['by node from elsewhere', {}, '/opt/my isp/main.js', "node '/opt/my isp/main.js'"],
  ])('%s', (_name, environment, script, expected) => {
    expect(invocation(environment, script, '/isp')).toBe(expected)
  })
})

describe('a path or word on a command line', () => {
  it.each([
    ['/isp/data', '/isp', 'data'],
    ['/isp', '/isp', '.'],
    ['/elsewhere/data', '/isp', '/elsewhere/data'],
  ])('%s in %s is %s', (path, folder, expected) => {
    expect(here(path, folder)).toBe(expected)
  })

  it.each([
    ['plain-1.2/x', 'plain-1.2/x'],
    ['two words', "'two words'"],
    ["it's; rm -rf $HOME", "'it'\\''s; rm -rf $HOME'"],
    ['', "''"],
  ])('%s is typed as %s', (text, expected) => {
    expect(shell(text)).toBe(expected)
  })
})

describe("a demo's credentials", () => {
  let folder: string
  const tokens = { abuse: 'a', engineer: 'e', approver: 'p', auditor: 'u', admin: 'x' }

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'nullroute-demo-'))
    mkdirSync(join(folder, '.demo'))
    writeFileSync(
      join(folder, '.demo/credentials.json'),
      JSON.stringify({ url: 'http://127.0.0.1:8080', tokens }),
    )
  })
  afterEach(() => rmSync(folder, { recursive: true }))

  it('are taken where nothing else names a controller, as admin or as who is asked for', () => {
    expect(withDemoCredentials({}, folder)).toEqual({
      NULLROUTE_URL: 'http://127.0.0.1:8080',
      NULLROUTE_TOKEN: 'x',
    })
    const asked = withDemoCredentials({ NULLROUTE_DEMO_ROLE: 'approver' }, folder)
    expect(asked['NULLROUTE_TOKEN']).toBe('p')
  })

  it.each([[{ NULLROUTE_URL: 'http://prod' }], [{ NULLROUTE_TOKEN: 'nr_mine' }]])(
    'are left alone where %j is set',
    (environment) => {
      expect(withDemoCredentials(environment, folder)).toEqual(environment)
    },
  )

  it.each(['', '{', '{"url":"nowhere"}', '[]'])('are none where the file holds %j', (text) => {
    writeFileSync(join(folder, '.demo/credentials.json'), text)
    expect(withDemoCredentials({}, folder)).toEqual({})
  })

  it('are none in another folder', () => {
    expect(withDemoCredentials({}, join(folder, '.demo'))).toEqual({})
  })
})
