// `keys scan` against SSH servers, straight and through a jump host: what a person gets to compare, and that no key is ever replaced.

import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { type AddressInfo, connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import ssh2 from 'ssh2'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type Ran, run } from '../unit/cli-local-run.ts'
import { makeHostKey } from './host-key.ts'
import { type RunningDevice, type Simulator, startSimulator } from './simulator.ts'

let simulator: Simulator
let router: RunningDevice
let behind: RunningDevice
let jump: ssh2.Server
let folder: string
const jumpKey = makeHostKey()

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'nullroute-keys-'))
  simulator = await startSimulator({
    devices: [
      { name: 'edge1', platform: 'frr' },
      { name: 'edge2', platform: 'frr' },
    ],
  })
  router = simulator.device('edge1')
  behind = simulator.device('edge2')
  jump = new ssh2.Server({ hostKeys: [jumpKey.private] }, (client) => {
    client.on('error', () => undefined)
    client.on('authentication', (context) => {
      if (context.method === 'password' && context.password === 'jump-secret') context.accept()
      else context.reject(['password'])
    })
    client.on('tcpip', (accept, _refuse, { destIP, destPort }) => {
      const channel = accept()
      const socket = connect(destPort, destIP)
      socket.on('error', () => channel.end())
      channel.on('error', () => socket.destroy())
      socket.pipe(channel).pipe(socket)
    })
  })
  await new Promise<void>((resolve) => void jump.listen(0, '127.0.0.1', resolve))
  await writeFile(
    join(folder, 'inventory.yaml'),
    `version: 1
defaults: { username: x, auth: { passwordEnv: PASSWORD }, knownHosts: known_hosts }
jumps:
  bastion: { address: 127.0.0.1, port: ${(jump.address() as AddressInfo).port}, username: jump, auth: { passwordEnv: JUMP } }
devices:
  edge1: { platform: frr, address: ${router.host}, port: ${router.port}, roles: [edge] }
  edge2: { platform: frr, address: ${behind.host}, port: ${behind.port}, roles: [edge], jump: bastion }
`,
  )
})

afterEach(async () => {
  await simulator.stop()
  await new Promise<void>((resolve) => void jump.close(() => resolve()))
  await rm(folder, { recursive: true })
})

const scan = (...more: readonly string[]): Promise<Ran> =>
  run(['keys', 'scan', '--inventory', join(folder, 'inventory.yaml'), ...more], {
    JUMP: 'jump-secret',
  })
const known = (): string => join(folder, 'known_hosts')

describe('nullroute keys scan', () => {
  it('adds the keys that it was shown to a file, with fingerprints, and knows them afterwards', async () => {
    const first = await scan('--device', 'edge1', '--out', known())
    const text = await readFile(known(), 'utf8')
    const second = await scan('--device', 'edge1', '--out', known())

    expect(first).toMatchObject({
      code: 0,
      err: expect.stringMatching(/edge1 .*SHA256:\S{43} +new/),
    })
    expect(first.err).toContain('Compare each fingerprint')
    expect(text).toContain(`[${router.host}]:${router.port} ${router.hostKey}\n`)
    expect(second).toMatchObject({ code: 0, err: expect.stringMatching(/SHA256:\S{43} +known/) })
    expect(await readFile(known(), 'utf8')).toBe(text)
  })

  it('prints lines for a known_hosts file where no file is named, and only what is new', async () => {
    const first = await scan('--device', 'edge1')
    await writeFile(known(), first.out)
    const second = await scan('--device', 'edge1')

    expect(first.out).toContain(`[${router.host}]:${router.port} ${router.hostKey}\n`)
    expect(second).toMatchObject({ code: 0, out: '' })
  })

  it('never replaces a key by another, and says loudly that they differ', async () => {
    const before = `[${router.host}]:${router.port} ${behind.hostKey}\n`
    await writeFile(known(), before)
    const { code, err } = await scan('--device', 'edge1', '--out', known())

    expect(code).toBe(1)
    expect(err).toContain('edge1 shows another key than expected')
    expect(err).toContain('known_hosts:1')
    expect(await readFile(known(), 'utf8')).toBe(before)
  })

  it('goes through a jump host once its own key is known, and not before', async () => {
    const first = await scan('--json', '--out', known())
    const second = await scan('--json', '--out', known())
    const names = ({ out }: Ran): string[] =>
      (JSON.parse(out) as { keys: { id: string }[] }).keys.map(({ id }) => id).sort()

    expect(first.code).toBe(1)
    expect(names(first)).toEqual(['bastion', 'edge1'])
    expect(JSON.parse(first.out)).toMatchObject({
      unreadable: [{ id: 'edge2', reason: expect.stringContaining('bastion') }],
    })
    expect(second.code).toBe(0)
    expect(names(second)).toEqual(['bastion', 'edge1', 'edge2'])
    expect(await readFile(known(), 'utf8')).toContain(behind.hostKey)
  })

  it('logs in nowhere: a device that refuses all logins shows its key as well', async () => {
    router.faults.add({ kind: 'refuse-login' })
    expect(await scan('--device', 'edge1')).toMatchObject({ code: 0 })
    expect(router.journal.lines()).toEqual([])
  })

  it('says which host could not be asked, and does the others', async () => {
    router.faults.add({ kind: 'off' })
    const { code, err } = await scan('--device', 'edge1', '--device', 'bastion')

    expect(code).toBe(1)
    expect(err).toMatch(/edge1 .*not read/)
    expect(err).toMatch(/bastion .*SHA256:\S{43} +new/)
  })

  it('refuses a name that the inventory does not have, naming those that it has', async () => {
    const { code, err } = await scan('--device', 'edge9')
    expect({ code, err }).toEqual({
      code: 1,
      err: expect.stringContaining('bastion, edge1, edge2'),
    })
  })
})
