// Commands on a data folder, and the controller that has it: tokens before and beside it, the log checked while it writes, and each way in which it starts and ends.

import { spawn } from 'node:child_process'
import { appendFileSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import Database from 'better-sqlite3'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { runCli } from '../../controller/cli/program.ts'
import { contextOf, type Kept, run } from '../unit/cli-local-run.ts'

const inventoryText = `version: 1
defaults: { username: x, auth: { passwordEnv: P }, knownHosts: known_hosts }
devices:
  r1: { platform: frr, address: 127.0.0.1, port: 1, roles: [rtbh-trigger] }
customers:
  a: { name: A, prefixes: [203.0.113.0/24] }
`

let folder: string
let data: string
let inventory: string
const stops: (() => Promise<unknown>)[] = []

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'nullroute-data-'))
  data = join(folder, 'data')
  inventory = join(folder, 'isp.yaml')
  writeFileSync(inventory, inventoryText)
})

afterEach(async () => {
  for (const stop of stops.splice(0)) await stop()
  rmSync(folder, { recursive: true, force: true })
})

const create = (...more: readonly string[]) =>
  run(['token', 'create', '--data', data, '--name', 'ada', ...more])

interface Served {
  readonly url: string
  readonly out: Kept
  readonly log: Kept
  readonly stop: () => Promise<number>
}

/** A controller in this process, as `serve` runs it. */
async function serve(...more: readonly string[]): Promise<Served> {
  const abort = new AbortController()
  const context = contextOf({}, abort.signal)
  const args = ['serve', '--inventory', inventory, '--data', data, '--listen', '127.0.0.1:0']
  const ended = runCli([...args, '--json', ...more], context)
  const stop = (): Promise<number> => {
    abort.abort()
    return ended
  }
  stops.push(stop)
  const ready = await Promise.race([textOf(context.stdout, /^\{"ready".*\}$/m), ended])
  if (typeof ready === 'number') throw new Error(`ended with ${ready}: ${context.stderr.text}`)
  const { url } = JSON.parse(ready) as { url: string }
  return { url, out: context.stdout, log: context.stderr, stop }
}

/** Resolves once a stream has held a match. */
function textOf(stream: Kept, pattern: RegExp): Promise<string> {
  return new Promise((resolve) => {
    const look = (): void => {
      const found = pattern.exec(stream.text)?.[0]
      if (found === undefined) return
      stream.off('kept', look)
      resolve(found)
    }
    stream.on('kept', look)
    look()
  })
}

const me = (url: string, token: string): Promise<Response> =>
  fetch(`${url}/v1/me`, { headers: { authorization: `Bearer ${token}` } })

describe('nullroute token --data', () => {
  it('makes a token before the first start: the secret alone on standard output, the key of the new log beside it', async () => {
    const { code, out, err } = await create('--role', 'abuse', '--role', 'auditor')

    expect(code).toBe(0)
    expect(out).toMatch(/^nr_[A-Za-z0-9_-]{43}\n$/)
    expect(err).toMatch(/nullroute\.invalid\/\w+\+[0-9a-f]{8}\+\S+/)
    expect(err).not.toContain(out.trim())
  })

  it('begins the log by the name that the configuration gives it', async () => {
    const config = join(folder, 'nullroute.yaml')
    const named =
      'inventory: isp.yaml\ndata: data\naudit: { origin: audit.example.net/nullroute }\n'
    writeFileSync(config, named)
    const made = await run([
      'token',
      'create',
      '--config',
      config,
      '--name',
      'a',
      '--role',
      'admin',
    ])
    const served = await serve('--config', config)
    const listed = await run(['token', 'list', '--config', config])

    expect(made.err).toContain(`${data}: it held none`)
    expect(made.err).toContain('audit.example.net/nullroute+')
    expect((await me(served.url, made.out.trim())).status).toBe(200)
    expect(listed.out).toContain('admin')
  })

  it('lists tokens without their secrets, and revokes one', async () => {
    const secret = (await create('--role', 'admin', '--expires', '90d')).out.trim()
    const list = await run(['token', 'list', '--data', data, '--json'])
    const [token] = JSON.parse(list.out) as { id: string; expiresAt: string }[]
    const revoked = await run(['token', 'revoke', token?.id ?? '', '--data', data])
    const after = await run(['token', 'list', '--data', data])

    expect(token).toMatchObject({ name: 'ada', person: 'ada', roles: ['admin'] })
    expect(token?.expiresAt).toMatch(/^\d{4}-.*Z$/)
    expect(list.out).not.toContain(secret)
    expect(list.out).not.toContain('sha256')
    expect(revoked).toMatchObject({ code: 0, out: expect.stringContaining('is revoked') })
    expect(after.out).toMatch(/ada .*revoked/)
  })

  it.each([
    [['--role', 'king'], 2, 'abuse, engineer, approver, auditor, admin'],
    [[], 2, '--role'],
    [['--role', 'approver'], 2, '--person'],
    [['--role', 'abuse', '--expires', 'soon'], 2, '--expires'],
    [['--role', 'abuse', '--expires', '2020-01-01'], 2, 'has passed'],
  ])('refuses %j, and makes nothing', async (args, code, told) => {
    expect(await create(...args)).toMatchObject({
      code,
      err: expect.stringContaining(told),
      out: '',
    })
  })

  it('does not take a wrong folder for an empty controller', async () => {
    const list = await run(['token', 'list', '--data', join(folder, 'nowhere')])
    const revoke = await run(['token', 'revoke', 'x', '--data', join(folder, 'nowhere')])

    expect(list).toMatchObject({ code: 1, err: expect.stringContaining('no data of a controller') })
    expect(revoke.code).toBe(1)
    expect(readdirSync(folder)).toEqual(['isp.yaml'])
  })

  it('works beside a running controller, which knows the new token at once', async () => {
    const { url, log } = await serve()
    const token = (await create('--role', 'engineer')).out.trim()

    expect(log.text).toContain('nullroute token create --data')
    expect((await me(url, token)).status).toBe(200)
    const [row] = JSON.parse((await run(['token', 'list', '--data', data, '--json'])).out) as {
      id: string
    }[]
    await run(['token', 'revoke', row?.id ?? '', '--data', data])
    expect((await me(url, token)).status).toBe(401)
  })
})

describe('nullroute audit verify', () => {
  it('finds a whole log whole, also while the controller writes to it', async () => {
    await serve()
    await create('--role', 'abuse')
    const { code, out } = await run(['audit', 'verify', '--data', data])

    expect(code).toBe(0)
    expect(out).toMatch(
      /^The audit log is whole: \d+ entries, root [0-9a-f]{64}\n {2}0 artifacts: 0 missing, 0 with another digest; \d+ disclosures: 0 withheld or erased, 0 with another digest\n$/,
    )
  })

  it('names what was altered, by entry, and exits with 1', async () => {
    await create('--role', 'abuse')
    const db = new Database(join(data, 'nullroute.db'))
    db.exec(`update log_entries set entry = replace(entry, 'abuse', 'admin') where seq = 1`)
    db.close()
    const { code, out, err } = await run(['audit', 'verify', '--data', data])
    const json = await run(['audit', 'verify', '--data', data, '--json'])

    expect(code).toBe(1)
    expect(out).toContain('altered, entry 1: ')
    expect(err).toContain('is not what was written')
    expect(json.code).toBe(1)
    expect(JSON.parse(json.out)).toMatchObject({
      ok: false,
      findings: [
        { kind: 'altered', seq: 1 },
        {
          kind: 'row',
          message: expect.stringContaining('roles ["abuse"], made was one with ["admin"]'),
        },
      ],
    })
  })

  it('exits with 4 where there is nothing that can be read, and with 2 without a folder', async () => {
    expect(await run(['audit', 'verify', '--data', folder])).toMatchObject({
      code: 4,
      err: expect.stringContaining('--data'),
    })
    expect((await run(['audit', 'verify'])).code).toBe(2)
  })
})

describe('nullroute serve', () => {
  it('says on one line that it is ready, warns of the made-up origin, and ends clean when told', async () => {
    const { url, out, log, stop } = await serve()
    const ready = await fetch(`${url}/readyz`)
    const code = await stop()

    expect(ready.status).toBe(200)
    expect(out.text.trimEnd().split('\n')).toHaveLength(1)
    expect(log.text).toContain('A new audit log begins')
    expect(log.text).toMatch(/"level":40,.*made-up name/)
    expect(log.text).toMatch(/"msg":"ended"/)
    expect(code).toBe(0)
  })

  it('says nothing of a first token or a new log at a later start', async () => {
    await create('--role', 'admin')
    const { log } = await serve()
    expect(log.text).not.toContain('token create')
    expect(log.text).not.toContain('A new audit log begins')
  })

  it('reads the inventory again on SIGHUP; a broken one is told with its places, and the old one stays', async () => {
    const { url, log } = await serve()
    const token = (await create('--role', 'abuse')).out.trim()
    const customers = async (): Promise<readonly string[]> => {
      const response = await fetch(`${url}/v1/customers`, {
        headers: { authorization: `Bearer ${token}` },
      })
      return ((await response.json()) as { items: { id: string }[] }).items.map(({ id }) => id)
    }
    appendFileSync(inventory, '  b: { name: B, prefixes: [198.51.100.0/24] }\n')
    process.emit('SIGHUP')
    await textOf(log, /were read again/)
    expect(await customers()).toEqual(['a', 'b'])

    appendFileSync(inventory, '  c: { name: C, prefixes: [198.51.100.0/25] }\n')
    process.emit('SIGHUP')
    expect(await textOf(log, /the files are not used[^\n]*/)).toMatch(/isp\.yaml:8:\d+: /)
    expect(await customers()).toEqual(['a', 'b'])
  })

  it('prints every problem of the inventory with its place and exits with 1', async () => {
    writeFileSync(
      inventory,
      inventoryText.replace('frr', 'vax').replace('203.0.113.0', '203.0.113.1'),
    )
    const { code, err } = await run(['serve', '--inventory', inventory, '--data', data])

    expect(code).toBe(1)
    expect(err).toMatch(/isp\.yaml:4:\d+: devices\.r1\.platform/)
    expect(err).toMatch(/isp\.yaml:6:\d+: customers\.a\.prefixes/)
  })

  it('names the config file, line and column of what it does not know', async () => {
    const config = join(folder, 'nullroute.yaml')
    writeFileSync(config, 'inventory: isp.yaml\nagents: { devicesAtOnce: 0 }\n')
    const { code, err } = await run(['serve', '--config', config])
    expect({ code, err }).toEqual({
      code: 2,
      err: expect.stringMatching(/nullroute\.yaml:2:\d+: /),
    })
  })

  it('says so when its address is taken, and when the folder has a controller already', async () => {
    const taken = createServer()
    await new Promise<void>((resolve) => void taken.listen(0, '127.0.0.1', resolve))
    const { port } = taken.address() as { port: number }
    const args = ['serve', '--inventory', inventory, '--data', data]
    const busy = await run([...args, '--listen', `127.0.0.1:${port}`])
    await new Promise((resolve) => taken.close(resolve))
    await serve()
    const second = await run([...args, '--listen', '127.0.0.1:0'])

    expect(busy).toMatchObject({ code: 2, err: expect.stringContaining('--listen HOST:PORT') })
    expect(second).toMatchObject({ code: 1, err: expect.stringContaining('in use') })
  })

  it('as a process ends on SIGTERM with exit code 0 and nothing left', async () => {
    const root = fileURLToPath(new URL('../..', import.meta.url))
    const args = ['--import', 'tsx', 'controller/cli/main.ts', 'serve', '--listen', '127.0.0.1:0']
    const child = spawn(process.execPath, [...args, '--inventory', inventory, '--data', data], {
      cwd: root,
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    stops.push(async () => child.kill('SIGKILL'))
    const ended = new Promise<number | null>((resolve) => child.once('close', resolve))
    let out = ''
    await new Promise<void>((resolve, reject) => {
      child.stdout.on('data', (bytes: Buffer) => {
        out += bytes.toString()
        if (out.includes('\n')) resolve()
      })
      child.once('close', () => reject(new Error(`ended before it was ready: ${out}`)))
    })
    child.kill('SIGTERM')

    expect(out).toMatch(/^nullroute \S+ is ready: http:\/\/127\.0\.0\.1:\d+ \(/)
    expect(await ended).toBe(0)
    expect(readdirSync(data)).not.toContain('controller.pid')
  })
})
