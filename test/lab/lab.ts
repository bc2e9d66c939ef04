// What the tests of the lab do to it: run its script, look into its devices, ping through it, and put a controller on it.

import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { closeSync, openSync, readFileSync } from 'node:fs'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { pino } from 'pino'
import { ulid } from 'ulid'
import { expect } from 'vitest'
import type { Answer } from '../../agent/platform.ts'
import { platforms } from '../../agent/platforms/index.ts'
import { loadConfig } from '../../controller/config.ts'
import { createToken } from '../../controller/desk/tokens.ts'
import { type Running, startController } from '../../controller/main.ts'
import type { Role } from '../../controller/store/store.ts'
import { loadInventory } from '../../inventory/load.ts'
import type { Device } from '../../inventory/model.ts'

/** Where the lab runs. */
export const labFolder = process.env['NULLROUTE_LAB'] ?? '/run/nullroute-lab'

/** The system's own tool, for which nothing has to be installed by npm. */
const ip = 'ip'

/** Longest time that one command in the lab may take, in ms. */
const commandMs = 90_000

/** Runs lab.sh. Its output goes to a file, since daemons would keep a pipe open for ever. Throws with it where the script fails. */
export async function script(...args: readonly string[]): Promise<void> {
  const path = fileURLToPath(new URL('lab.sh', import.meta.url))
  const folder = await mkdtemp(join(tmpdir(), 'nullroute-lab-'))
  const log = join(folder, 'log')
  const out = openSync(log, 'a')
  try {
    const child = spawn(path, [...args, '--run', labFolder], {
      stdio: ['ignore', out, out],
      timeout: commandMs,
    })
    const status = await new Promise<number | null>((resolve, reject) => {
      child.once('error', reject)
      child.once('exit', resolve)
    })
    if (status !== 0) {
      throw new Error(
        `lab.sh ${args.join(' ')} ended with ${status}:\n${readFileSync(log, 'utf8')}`,
      )
    }
  } finally {
    closeSync(out)
    await rm(folder, { recursive: true })
  }
}

/** What a command said. */
export interface Said {
  readonly status: number
  readonly text: string
}

function command(file: string, args: readonly string[]): Promise<Said> {
  return new Promise((resolve) => {
    execFile(file, [...args], { timeout: commandMs, maxBuffer: 16_777_216 }, (fault, out, err) => {
      const status = fault === null ? 0 : typeof fault.code === 'number' ? fault.code : 1
      resolve({ status, text: `${out}${err}` })
    })
  })
}

/** Runs a command as root in the network of a device or host. */
export function inside(name: string, ...args: readonly string[]): Promise<Said> {
  return command(ip, ['netns', 'exec', `nrlab-${name}`, ...args])
}

/** Runs a shell line as root on a managed device, which has its own /etc/frr and /etc/nullroute. */
export async function onDevice(name: string, line: string): Promise<Said> {
  const pid = (await readFile(join(labFolder, name, 'sshd.pid'), 'utf8')).trim()
  return command('nsenter', ['-t', pid, '-m', '-n', 'sh', '-c', line])
}

/** Asks the vtysh of any router. */
export async function ask(name: string, line: string): Promise<string> {
  const socket = join(labFolder, name, 'run-frr')
  return (await command('vtysh', ['--vty_socket', socket, '-c', line])).text
}

/** Whether an address answers the internet host. */
export async function answers(address: string): Promise<boolean> {
  const family = address.includes(':') ? '-6' : '-4'
  return (await inside('internet', 'ping', family, '-c1', '-W1', '-q', address)).status === 0
}

/** Whether the kernel of an edge drops what goes to an address. */
export async function drops(edge: string, address: string): Promise<boolean> {
  const { text } = await inside(edge, 'ip', 'route', 'get', address)
  return text.includes('RTNETLINK answers: Invalid argument')
}

/** Pings an address from the internet host until `stop`, which answers how many replies came and which numbers are missing. */
export function keepPinging(address: string): {
  stop(): Promise<{ readonly replies: number; readonly missing: readonly number[] }>
} {
  const family = address.includes(':') ? '-6' : '-4'
  const child: ChildProcess = spawn(
    ip,
    ['netns', 'exec', 'nrlab-internet', 'ping', family, '-i', '0.05', '-n', address],
    { stdio: ['ignore', 'pipe', 'ignore'] },
  )
  let text = ''
  child.stdout?.on('data', (bytes: Buffer) => {
    text += bytes.toString()
  })
  return {
    async stop() {
      const ended = new Promise((resolve) => child.once('exit', resolve))
      child.kill('SIGINT')
      await ended
      const seen = [...text.matchAll(/icmp_seq=(\d+) ttl/g)].map((match) => Number(match[1]))
      // The last one may still have been on its way.
      const last = Math.max(0, ...seen)
      const all = Array.from({ length: last }, (_, i) => i + 1)
      const got = new Set(seen)
      return { replies: seen.length, missing: all.filter((number) => !got.has(number)) }
    },
  }
}

/** Waits for a condition, looked at again and again. Throws with `what` where it does not come true. */
export async function until<T>(
  what: string,
  look: () => Promise<T | undefined | false>,
  ms = 60_000,
): Promise<T> {
  const end = performance.now() + ms
  for (;;) {
    const found = await look()
    if (found !== undefined && found !== false) return found
    if (performance.now() > end) throw new Error(`in ${ms} ms it did not come true that ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
}

/** The devices of the lab, by id. */
export async function devices(): Promise<ReadonlyMap<string, Device>> {
  const loaded = await loadInventory(join(labFolder, 'inventory'), platforms)
  if (!loaded.ok) throw new Error(loaded.problems.map(({ message }) => message).join('\n'))
  return loaded.value.devices
}

/** Everything of every managed device that a change could touch, running and saved, by its platform's own measure. */
export async function snapshot(): Promise<Readonly<Record<string, string>>> {
  const all: Record<string, string> = {}
  for (const [id, device] of await devices()) {
    const platform = platforms.get(device.platform)
    if (platform === undefined) throw new Error(`no platform ${device.platform}`)
    const texts = new Map<string, Answer>()
    for (const { what, line } of platform.configuration) {
      const asked = device.platform === 'frr' ? `vtysh -c '${line.text}'` : line.text
      const { status, text } = await onDevice(id, asked)
      texts.set(what, { line, text, status })
    }
    all[id] = platform.canonical(texts)
    if (device.platform !== 'frr') continue
    const [line] = platform.configuration
    if (line === undefined) continue
    const { text } = await onDevice(id, 'cat /etc/frr/frr.conf')
    all[`${id}, saved`] = platform.canonical(new Map([['config', { line: line.line, text }]]))
  }
  return all
}

/** Expects every device to be as it was. What comes back by itself (a link's own addresses, a save of its own) is waited for. */
export async function isAsBefore(before: Readonly<Record<string, string>>): Promise<void> {
  const isSame = async () => JSON.stringify(await snapshot()) === JSON.stringify(before)
  await until('all is as before', isSame, 20_000).catch(() => undefined)
  expect(await snapshot()).toEqual(before)
}

/** A controller on the lab. */
export interface Control {
  readonly running: Running
  /** One request; throws where the answer is no success. */
  api<T = Enforcement>(method: string, path: string, body?: unknown, as?: Role): Promise<T>
  /** Waits for the status of an enforcement. */
  reaches(id: string, status: string, ms?: number): Promise<Enforcement>
  stop(): Promise<void>
}

/** An enforcement as the API shows it. */
interface Enforcement {
  readonly id: string
  readonly status: string
  readonly digest?: string
  readonly plan?: { readonly digest: string }
  readonly devices: readonly {
    readonly device: string
    readonly role: string
    readonly status: string
    readonly error?: { readonly code: string; readonly message: string }
    readonly intents: readonly { readonly key: string; readonly outcome: string }[]
  }[]
}

/** Starts a controller with an empty store on the lab's inventory. */
export async function startControl(): Promise<Control> {
  const folder = await mkdtemp(join(tmpdir(), 'nullroute-lab-'))
  const config = await loadConfig({
    inventory: join(labFolder, 'inventory'),
    data: join(folder, 'data'),
    listen: '127.0.0.1:0',
  })
  const running = await startController(
    { ...config, observerDeadlineMs: 10_000 },
    {
      log: pino({ level: process.env['NULLROUTE_TEST_LOG'] ?? 'silent' }),
      environment: process.env,
    },
  )
  const tokens = { abuse: '', engineer: '', approver: '', auditor: '', admin: '' }
  for (const role of ['abuse', 'engineer', 'approver', 'auditor', 'admin'] as const) {
    const { store } = running.controller
    const who = {
      actor: { kind: 'system', id: 'lab' },
      id: ulid(),
      at: new Date().toISOString(),
    } as const
    const person = `${role}@isp.example`
    const made = await createToken(store, who, { name: role, person, roles: [role] })
    tokens[role] = made.token
  }
  const api = async <T>(
    method: string,
    path: string,
    body?: unknown,
    as: Role = 'abuse',
  ): Promise<T> => {
    const response = await fetch(running.url + path, {
      method,
      headers: {
        authorization: `Bearer ${tokens[as]}`,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
    const text = await response.text()
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`)
    return JSON.parse(text) as T
  }
  return {
    running,
    api,
    reaches: (id, status, ms) => reaches(api, id, status, ms),
    async stop() {
      await running.stop()
      await rm(folder, { recursive: true })
    },
  }
}

async function reaches(
  api: Control['api'],
  id: string,
  status: string,
  ms?: number,
): Promise<Enforcement> {
  let last: Enforcement | undefined
  try {
    return await until(
      `${id} is ${status}`,
      async () => {
        const now: Enforcement = await api('GET', `/v1/enforcements/${id}`)
        last = now
        return now.status === status && now
      },
      ms,
    )
  } catch (cause) {
    throw new Error(`wanted ${status}, but it is ${JSON.stringify(last, null, 1)}`, { cause })
  }
}
