import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { platforms } from '../../agent/platforms/index.ts'
import { demoInventory, demoKnownHosts } from '../../controller/cli/demo-network.ts'
import { simulatedSights, tour } from '../../controller/cli/demo-tour.ts'
import { loadConfig } from '../../controller/config.ts'
import { parseInventory } from '../../inventory/load.ts'
import { run } from './cli-local-run.ts'
import { exampleFolder, platformNames, source } from './inventory-texts.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'nullroute-cli-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

describe('nullroute init', () => {
  it('writes an inventory and playbooks that pass their own checks, and a config that loads', async () => {
    const isp = join(folder, 'isp')
    expect(await run(['init', isp])).toMatchObject({ code: 0 })

    const inventory = await run(['inventory', 'check', join(isp, 'inventory')])
    expect(inventory).toMatchObject({ code: 0, out: expect.stringContaining('is right') })
    expect(inventory.err).toContain('203.0.113.1 (gateway of edge1) is left out')
    expect(await run(['playbook', 'check', join(isp, 'playbooks')])).toMatchObject({ code: 0 })
    const config = await loadConfig({ config: join(isp, 'nullroute.yaml') })
    expect(config).toMatchObject({ inventory: join(isp, 'inventory'), data: join(isp, 'data') })
    expect(statSync(join(isp, 'keys')).mode & 0o077).toBe(0)
  })

  it('says what comes next in commands that name the folder', async () => {
    const isp = join(folder, 'my isp')
    const { err } = await run(['init', isp])
    expect(err).toContain(`nullroute inventory check '${isp}/inventory'`)
    expect(err).toContain(`nullroute serve --config '${isp}/nullroute.yaml'`)
  })

  it('overwrites nothing, and then writes nothing at all', async () => {
    writeFileSync(join(folder, 'nullroute.yaml'), 'mine')
    const { code, err } = await run(['init', folder])

    expect(code).toBe(1)
    expect(err).toContain('nullroute.yaml already')
    expect(readFileSync(join(folder, 'nullroute.yaml'), 'utf8')).toBe('mine')
    expect(() => statSync(join(folder, 'inventory'))).toThrow('ENOENT')
  })

  it('says so where it can not write', async () => {
    writeFileSync(join(folder, 'file'), '')
    const { code, err } = await run(['init', join(folder, 'file/isp')])
    expect({ code, err }).toEqual({ code: 1, err: expect.stringContaining("can't be written") })
  })

  // A folder that is there and takes no other in it: tried again by the system's own recursive call for ever.
  it.runIf(existsSync('/proc/self'))('ends where no folder can be made, and says so', async () => {
    const { code, err } = await run(['init', '/proc/isp'])
    expect({ code, err }).toEqual({
      code: 1,
      err: expect.stringMatching(/\/proc\/isp\/\S+ can't be written: ENOENT/),
    })
  })
})

describe('nullroute inventory check', () => {
  it('names every problem with its place and what to do, and exits with 1', async () => {
    const file = join(folder, 'isp.yaml')
    writeFileSync(
      file,
      'version: 1\ndevices:\n  r1: { platform: frrr, address: 192.0.2.1 }\ncustomers:\n  a: { name: A, prefixes: [203.0.113.1/24] }\n',
    )
    const { code, err, out } = await run(['inventory', 'check', file])

    expect(code).toBe(1)
    expect(err).toMatch(/isp\.yaml:3:\d+: devices\.r1\.platform: /)
    expect(err).toMatch(/isp\.yaml:5:\d+: customers\.a\.prefixes\[0\]: /)
    expect(err).toMatch(/ {4}do: {7}\S/)
    expect(err).toMatch(/\d problems, nothing of it is used/)
    expect(out).toBe('')
  })

  it('answers the same as JSON', async () => {
    const bad = join(folder, 'isp.yaml')
    writeFileSync(bad, 'version: 2\n')
    const refused = await run(['inventory', 'check', bad, '--json'])
    expect(refused.code).toBe(1)
    expect(JSON.parse(refused.out)).toMatchObject({ ok: false, problems: [{ line: 1 }] })

    const right = await run(['inventory', 'check', exampleFolder, '--json'])
    expect(right.code).toBe(0)
    expect(JSON.parse(right.out)).toMatchObject({
      ok: true,
      customers: expect.arrayContaining(['esthost']),
    })
  })

  it.each(['inventory', 'playbook'])('prints the JSON Schema of %s files', async (what) => {
    const { code, out } = await run([what, 'check', '--schema'])
    expect(code).toBe(0)
    expect(JSON.parse(out)).toMatchObject({ type: 'object' })
  })

  it('says what is missing where there is no inventory', async () => {
    const { code, err } = await run(['inventory', 'check', join(folder, 'nowhere')])
    expect({ code, err }).toEqual({ code: 1, err: expect.stringContaining('nowhere') })
  })
})

describe('nullroute platforms', () => {
  it('says of each platform what it can do, and why it can not do the rest', async () => {
    const { code, out } = await run(['platforms', '--json'])
    const views = JSON.parse(out) as {
      name: string
      measures: { measure: string; supported: boolean; reason?: string }[]
    }[]

    expect(code).toBe(0)
    expect(views.map(({ name }) => name)).toEqual([...platforms.keys()])
    for (const { measures } of views) {
      expect(measures.filter(({ supported, reason }) => !supported && !reason)).toEqual([])
    }
    const frr = views.find(({ name }) => name === 'frr')?.measures
    expect(frr?.find(({ measure }) => measure === 'acl IPv4')?.supported).toBe(false)
    expect((await run(['platforms'])).out).toContain('juniper_junos')
  })
})

describe('nullroute device prepare', () => {
  it('prints the lines of the platform that the inventory says, or that is named', async () => {
    const byDevice = await run(['device', 'prepare', 'sw1.ams', '--inventory', exampleFolder])
    const byName = await run(['device', 'prepare', '--platform', 'linux'])

    expect(byDevice).toMatchObject({ code: 0, out: expect.stringContaining('table.nft') })
    expect(byName.out.replaceAll('(p1|p2)', '(p1|p2|p3)').split('\n').slice(1)).toEqual(
      byDevice.out.split('\n').slice(1),
    )
    expect(byName.out).toContain("Name the customers' ports in place of p1|p2")
    expect(byDevice.out).toContain(
      'Its ports are those that customers of the inventory have here (p1, p2, p3)',
    )
  })

  it.each([
    [['--platform', 'vax'], 2, 'frr'],
    [[], 2, 'one of the two'],
    [['r1', '--platform', 'frr'], 2, 'one of the two'],
    [['nobody', '--inventory', exampleFolder], 1, 'trigger1'],
  ])('refuses %j', async (args, code, told) => {
    const ran = await run(['device', 'prepare', ...args])
    expect(ran).toMatchObject({ code, err: expect.stringContaining(told), out: '' })
  })
})

describe("the demo's network", () => {
  const devices = ['trigger1', 'edge1.ams', 'edge2.fra', 'edge3.lon', 'sw1.ams', 'sw2.fra'].map(
    (name, at) => ({
      name,
      platform: 'frr',
      host: '127.0.0.1',
      port: 40_000 + at,
      username: 'netops',
      password: 'x',
      hostKey: 'ssh-ed25519 AAAA',
    }),
  )

  it('is the example ISP with other addresses and logins, no jump hosts, and all else as it was', () => {
    const texts = ['network.yaml', 'customers.yaml'].map((name) =>
      readFileSync(join(exampleFolder, name), 'utf8'),
    )
    const result = parseInventory(
      texts.map((text, at) => source(demoInventory(text, devices), `demo/${at}.yaml`)),
      platformNames,
    )
    const before = parseInventory(
      texts.map((text, at) => source(text, `demo/${at}.yaml`)),
      platformNames,
    )

    if (!result.ok || !before.ok) throw new Error('both must load')
    for (const { name, port } of devices) {
      const device = result.value.devices.get(name)
      expect(device).toMatchObject({ address: '127.0.0.1', port, auth: { kind: 'password' } })
      expect(device?.jump).toBeUndefined()
      expect(device?.neighbors).toEqual(before.value.devices.get(name)?.neighbors)
    }
    expect(result.value.jumps.size).toBe(0)
    expect(result.value.customers).toEqual(before.value.customers)
    expect(result.value.protected).toEqual(before.value.protected)
  })

  it('has a known_hosts line for each device', () => {
    expect(demoKnownHosts(devices).split('\n')).toHaveLength(devices.length + 1)
    expect(demoKnownHosts(devices)).toContain('[127.0.0.1]:40000 ssh-ed25519 AAAA\n')
  })

  it('has a tour about customers and addresses that are there', () => {
    const inventory = readFileSync(join(exampleFolder, 'customers.yaml'), 'utf8')
    const { customer, bgp } = simulatedSights
    expect(inventory).toContain(`  ${customer}:`)
    expect(inventory).toContain(`  ${bgp}:`)
    const commands = tour(simulatedSights, 'nullroute', '.demo/data').flatMap((one) => one.commands)
    expect(commands).toContain('nullroute audit verify --data .demo/data')
    expect(new Set(commands).size).toBe(commands.length)
  })
})
