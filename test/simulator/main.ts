// The simulator as a program: an inventory's devices, each on a port of its own, until it is told to end.

import { createInterface } from 'node:readline'
import { parseArgs } from 'node:util'
import { loadInventory } from '../../inventory/load.ts'
import { control } from './control.ts'
import { simulatedDevices, simulatedPlatforms } from './from-inventory.ts'
import { type RunningDevice, type Simulator, startSimulator } from './simulator.ts'

const usage = `Usage: npm run simulator -- --inventory PATH [options]

Starts a fake device for each device of the inventory, behind a real SSH server.
A device listens on its own address and port where that is a loopback address,
else on 127.0.0.1, at its port or a free one.

  --inventory PATH   a YAML file, or a folder of them
  --ephemeral        a free port for each device, on 127.0.0.1
  --password TEXT    password of all devices (default: what the environment holds
                     under the inventory's passwordEnv, else nullroute-demo);
                     any public key is let in as well
  --propagation MS   time until a trigger's route is at the edges (default 20)
  --minute MS        length of a minute of the devices' own timers (default 60000)
  --json             print one line of JSON when all listen, nothing else
  --control          take lines of JSON on standard input, such as
                     {"device":"edge1","fault":{"kind":"slow","ms":200}}
                     {"device":"edge1","clear":true}
                     {"device":"edge1","hand":["no ip route …"]}
                     and end when the input ends
  --help
`

/** Exit code for wrong use. */
const misuse = 2

interface Options {
  readonly inventory: string
  readonly ephemeral: boolean
  readonly password: string | undefined
  readonly propagationMs: number
  readonly minuteMs: number
  readonly json: boolean
  readonly control: boolean
}

function readOptions(args: readonly string[]): Options | 'help' {
  const { values } = parseArgs({
    args: [...args],
    options: {
      inventory: { type: 'string' },
      ephemeral: { type: 'boolean', default: false },
      password: { type: 'string' },
      propagation: { type: 'string', default: '20' },
      minute: { type: 'string', default: '60000' },
      json: { type: 'boolean', default: false },
      control: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  })
  if (values.help) return 'help'
  if (values.inventory === undefined) throw new TypeError('--inventory PATH is missing')
  return {
    inventory: values.inventory,
    ephemeral: values.ephemeral,
    password: values.password,
    propagationMs: milliseconds('--propagation', values.propagation),
    minuteMs: milliseconds('--minute', values.minute),
    json: values.json,
    control: values.control,
  }
}

function milliseconds(option: string, text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new TypeError(`${option} takes milliseconds, not "${text}"`)
  return Number(text)
}

/** How ports are named is for the program under test to judge: here every spelling is its own port. */
const knownPlatforms = new Map(
  simulatedPlatforms.map((name) => [name, { canonicalPort: (port: string) => port }]),
)

async function start(options: Options): Promise<Simulator | undefined> {
  const loaded = await loadInventory(options.inventory, knownPlatforms)
  if (!loaded.ok) {
    for (const { file, line, column, message, remedy } of loaded.problems) {
      process.stderr.write(`${file}:${line}:${column}: ${message}. ${remedy}\n`)
    }
    return undefined
  }
  return startSimulator({
    devices: simulatedDevices(loaded.value, {
      ephemeral: options.ephemeral,
      environment: process.env,
      ...(options.password === undefined ? {} : { password: options.password }),
    }),
    propagationMs: options.propagationMs,
    minuteMs: options.minuteMs,
  })
}

function summary({
  name,
  platform,
  host,
  port,
  username,
  password,
  hostKey,
}: RunningDevice): object {
  return { name, platform, host, port, username, password, hostKey }
}

function table(devices: readonly RunningDevice[]): string {
  const width = Math.max(...devices.map(({ name }) => name.length))
  const rows = devices.map(
    ({ name, platform, host, port, username }) =>
      `  ${name.padEnd(width)}  ${platform.padEnd(13)}  ssh -p ${port} ${username}@${host}`,
  )
  const passwords = new Set(devices.map(({ password }) => password))
  const secret =
    passwords.size === 1 ? `Password: ${[...passwords].join('')}` : 'Passwords: see --json'
  return `${devices.length} simulated devices listen.\n\n${rows.join('\n')}\n\n${secret} (any key is let in as well). Ctrl-C ends them all.\n`
}

async function main(): Promise<number> {
  let options: Options | 'help'
  try {
    options = readOptions(process.argv.slice(2))
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n\n${usage}`)
    return misuse
  }
  if (options === 'help') {
    process.stdout.write(usage)
    return 0
  }
  const ended = new Promise<void>((resolve) => {
    process.once('SIGINT', resolve)
    process.once('SIGTERM', resolve)
    if (options.control) process.stdin.once('end', resolve)
  })
  const simulator = await start(options)
  if (simulator === undefined) return 1
  process.stdout.write(
    options.json ? `${JSON.stringify(simulator.devices.map(summary))}\n` : table(simulator.devices),
  )
  if (options.control) {
    createInterface({ input: process.stdin }).on('line', (line) => {
      process.stdout.write(`${JSON.stringify(control(simulator, line))}\n`)
    })
  }
  await ended
  await simulator.stop()
  return 0
}

try {
  process.exitCode = await main()
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`)
  process.exitCode = 1
}
// What may still be open, a standard input that nobody closes above all, must not keep a stopped program alive.
process.exit()
