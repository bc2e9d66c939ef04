// Configuration: a YAML file and flags → frozen Config. Every default stands here, with its unit. Secrets are never in it: the inventory names their places.

import { dirname, resolve } from 'node:path'
import { z } from 'zod'
import { readSource } from '../inventory/files.ts'
import { compareProblems, type Problem, printProblem } from '../inventory/problem.ts'
import { shape } from '../inventory/shape.ts'
import { parseYaml } from '../inventory/yaml.ts'
import { ControllerError } from './errors.ts'

const integer = (low: number, high: number) => z.number().int().min(low).max(high)

const Listen = z.string().superRefine((text, context) => {
  if (addressAndPort(text) !== undefined) return
  context.addIssue({
    code: 'custom',
    message: `"${text}" is no address with a port`,
    params: {
      expected: 'HOST:PORT or [IPV6]:PORT, with a port from 0 to 65535',
      remedy: 'write it like 127.0.0.1:8080, or "[::1]:8080" in quotes',
    },
  })
})

/** The configuration file's shape. Everything may be left out. */
const configFile = z.strictObject({
  inventory: z.string().optional(),
  playbooks: z.string().optional(),
  data: z.string().optional(),
  listen: Listen.optional(),
  audit: z.strictObject({ origin: z.string().max(200).optional() }).optional(),
  agents: z
    .strictObject({
      /** Devices that are worked on at the same time. */
      devicesAtOnce: integer(1, 10_000).optional(),
      checkIntervalMs: integer(1_000, 86_400_000).optional(),
      observerDeadlineMs: integer(100, 600_000).optional(),
      ownDeadlineMs: integer(100, 600_000).optional(),
    })
    .optional(),
  api: z
    .strictObject({
      bodyLimitBytes: integer(1_024, 16_777_216).optional(),
      requestsPerMinute: integer(1, 1_000_000).optional(),
      changesAtOnce: integer(1, 100_000).optional(),
      connections: integer(1, 100_000).optional(),
      eventStreams: integer(1, 100_000).optional(),
    })
    .optional(),
  store: z
    .strictObject({
      /** How long a commit waits for another process's. It stops everything else meanwhile. */
      busyTimeoutMs: integer(0, 60_000).optional(),
    })
    .optional(),
  log: z
    .strictObject({ level: z.enum(['trace', 'debug', 'info', 'warn', 'error']).optional() })
    .optional(),
  /** How long a stop may take before what is under way is left for the next start. */
  drainMs: integer(0, 600_000).optional(),
})

/** What one run of the controller is told. */
export interface Config {
  readonly inventory: string
  /** Absent: the shipped ones. */
  readonly playbooks: string | undefined
  readonly data: string
  readonly host: string
  readonly port: number
  readonly origin: string | undefined
  readonly devicesAtOnce: number
  readonly checkIntervalMs: number
  readonly observerDeadlineMs: number
  readonly ownDeadlineMs: number
  readonly bodyLimitBytes: number
  readonly requestsPerMinute: number
  readonly changesAtOnce: number
  readonly connections: number
  readonly eventStreams: number
  readonly busyTimeoutMs: number
  readonly logLevel: string
  readonly drainMs: number
}

/** What the command line gives; it wins over the file. */
export interface ConfigFlags {
  readonly config?: string | undefined
  readonly inventory?: string | undefined
  readonly playbooks?: string | undefined
  readonly data?: string | undefined
  readonly listen?: string | undefined
}

/** What is not given. Times in ms, sizes in bytes. */
const defaults = {
  inventory: 'inventory',
  data: 'data',
  listen: '127.0.0.1:8080',
  agents: {
    devicesAtOnce: 256,
    checkIntervalMs: 300_000,
    observerDeadlineMs: 30_000,
    ownDeadlineMs: 5_000,
  },
  api: {
    bodyLimitBytes: 262_144,
    requestsPerMinute: 6_000,
    changesAtOnce: 1_000,
    connections: 10_000,
    eventStreams: 1_000,
  },
  store: { busyTimeoutMs: 5_000 },
  log: { level: 'info' },
  drainMs: 10_000,
} as const

/** File and flags → Config. Paths in the file are relative to the file, paths in flags to the working folder. Throws ControllerError `config_invalid` with file, line and column. */
export async function loadConfig(flags: ConfigFlags): Promise<Config> {
  const file = flags.config === undefined ? {} : await readConfig(flags.config)
  const folder = flags.config === undefined ? '.' : dirname(flags.config)
  const path = (flag: string | undefined, inFile: string | undefined) =>
    flag ?? (inFile === undefined ? undefined : resolve(folder, inFile))
  const playbooks = path(flags.playbooks, file.playbooks)
  return Object.freeze({
    inventory: resolve(path(flags.inventory, file.inventory) ?? defaults.inventory),
    playbooks: playbooks === undefined ? undefined : resolve(playbooks),
    data: resolve(path(flags.data, file.data) ?? defaults.data),
    ...parseListen(flags.listen ?? file.listen ?? defaults.listen),
    origin: file.audit?.origin,
    ...withDefaults(defaults.agents, file.agents),
    ...withDefaults(defaults.api, file.api),
    ...withDefaults(defaults.store, file.store),
    logLevel: file.log?.level ?? defaults.log.level,
    drainMs: file.drainMs ?? defaults.drainMs,
  })
}

function withDefaults<T extends Readonly<Record<string, number>>>(
  base: T,
  given: { readonly [name in keyof T]?: number | undefined } | undefined,
): { readonly [name in keyof T]: number } {
  const set = Object.entries(given ?? {}).filter(([, value]) => value !== undefined)
  return { ...base, ...Object.fromEntries(set) }
}

async function readConfig(path: string): Promise<z.infer<typeof configFile>> {
  const source = await readSource(path)
  if (!('text' in source)) throw new ControllerError('config_invalid', printProblem(source))
  const tree = parseYaml(path, source.text)
  // Everything may be left out, all at once too.
  if (tree.value === null && tree.problems.length === 0) return {}
  const shaped = shape(tree, { schema: configFile })
  const problems = [...tree.problems, ...(tree.value === undefined ? [] : shaped.problems)]
  if (problems.length === 0 && shaped.value !== undefined) return shaped.value
  throw new ControllerError(
    'config_invalid',
    problems.map(withOwnHint).sort(compareProblems).map(printProblem).join('\n'),
  )
}

// There is no `--schema` of this file.
function withOwnHint(problem: Problem): Problem {
  const remedy = problem.remedy.replace(
    '`--schema` prints what there is',
    'the one that `nullroute init` writes shows what there is',
  )
  return { ...problem, remedy }
}

/** `HOST:PORT` or `[IPV6]:PORT`. Throws ControllerError `config_invalid`. */
function parseListen(text: string): { readonly host: string; readonly port: number } {
  const found = addressAndPort(text)
  if (found !== undefined) return found
  // The file's own was tested in its place: this came by the flag.
  throw new ControllerError(
    'config_invalid',
    `--listen: found "${text}", expected HOST:PORT, such as 127.0.0.1:8080 or [::1]:8080`,
  )
}

function addressAndPort(
  text: string,
): { readonly host: string; readonly port: number } | undefined {
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|([^:\s]+)):(\d{1,5})$/.exec(text)
  const port = Number(match?.[3])
  if (match === null || port > 65_535) return undefined
  return { host: match[1] ?? match[2] ?? '', port }
}
