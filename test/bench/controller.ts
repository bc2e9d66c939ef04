// A controller in a process of its own, as a user starts it, for what measures it from outside: its address, a token, and what it has cost so far.

import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFile, writeFile } from 'node:fs/promises'
import { type AddressInfo, createServer } from 'node:net'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { promisify } from 'node:util'
import { stringify } from 'yaml'

/** As this file runs: from the sources, or as it was built. */
const program = import.meta.filename.endsWith('.ts')
  ? ['--import', 'tsx', join(import.meta.dirname, '../../controller/cli/main.ts')]
  : [join(import.meta.dirname, '../../controller/cli/main.js')]

/** What a controller is started with. */
export interface ControllerOptions {
  /** A folder of its own: inventory, configuration and data are put there. */
  readonly dir: string
  readonly inventory: object
  /** Members of the configuration file. */
  readonly config?: object
  readonly environment?: Readonly<Record<string, string>>
}

/** A controller that runs. */
export interface StartedController {
  readonly url: string
  /** Of every role but approver. */
  readonly token: string
  readonly process: ChildProcess
  readonly data: string
  /** All that it wrote to standard error so far. */
  log(): string
  /** What it has cost until now; Linux only, zeros elsewhere. */
  cost(): Promise<{ readonly cpuMs: number; readonly peakMib: number }>
  /** Tells it to end; answers its exit code. */
  stop(): Promise<number | null>
}

/** Starts `nullroute serve` and waits until it is ready. */
export async function startController(options: ControllerOptions): Promise<StartedController> {
  const { dir } = options
  const data = join(dir, 'data')
  await writeFile(join(dir, 'inventory.yaml'), stringify(options.inventory))
  await writeFile(
    join(dir, 'nullroute.yaml'),
    stringify({
      inventory: 'inventory.yaml',
      data: 'data',
      listen: '127.0.0.1:0',
      ...options.config,
    }),
  )
  const token = await makeToken(data)
  const child = spawn(
    process.execPath,
    [...program, 'serve', '--config', join(dir, 'nullroute.yaml'), '--json'],
    { env: { ...process.env, ...options.environment }, stdio: ['ignore', 'pipe', 'pipe'] },
  )
  let log = ''
  child.stderr.on('data', (chunk: Buffer) => {
    log += chunk.toString('utf8')
  })
  const exited = once(child, 'exit') as Promise<[number | null]>
  const ready = once(createInterface(child.stdout), 'line') as Promise<[string]>
  const first = await Promise.race([ready, exited.then(() => undefined)])
  if (first === undefined) throw new Error(`the controller did not start:\n${log}`)
  const { url } = JSON.parse(first[0]) as { readonly url: string }
  return {
    url,
    token,
    process: child,
    data,
    log: () => log,
    cost: () => costOf(child.pid ?? 0),
    async stop() {
      child.kill('SIGTERM')
      const [code] = await exited
      return code
    },
  }
}

/** A device's address where connections are taken and nothing is ever said: work on it stays under way. */
export async function silentDevice(): Promise<{ readonly port: number; close(): void }> {
  const server = createServer((socket) => socket.on('error', () => socket.destroy()))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  // A TCP server's address is an object.
  const { port } = server.address() as AddressInfo
  return { port, close: () => void server.close() }
}

async function makeToken(data: string): Promise<string> {
  const roles = ['admin', 'abuse', 'engineer', 'auditor'].flatMap((role) => ['--role', role])
  const token = ['token', 'create', '--data', data, '--name', 'measure', '--json', ...roles]
  const { stdout } = await promisify(execFile)(process.execPath, [...program, ...token])
  return (JSON.parse(stdout) as { readonly token: string }).token
}

async function costOf(pid: number): Promise<{ cpuMs: number; peakMib: number }> {
  const read = (name: string) => readFile(`/proc/${pid}/${name}`, 'utf8').catch(() => '')
  // After the name, which may hold anything: fields 14 and 15 of proc(5) are ticks of 10 ms in user and kernel.
  const fields = (await read('stat')).split(') ').at(-1)?.split(' ') ?? []
  const ticks = Number(fields[11] ?? 0) + Number(fields[12] ?? 0)
  const peakKib = Number(/VmHWM:\s+(\d+)/.exec(await read('status'))?.[1] ?? 0)
  return { cpuMs: ticks * 10, peakMib: Math.round(peakKib / 1024) }
}
