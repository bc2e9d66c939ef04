// `nullroute keys scan`: collects the host keys of an inventory for a person to compare. Never takes or replaces a key by itself.

import { readFile, rename, writeFile } from 'node:fs/promises'
import PQueue from 'p-queue'
import { platforms } from '../../agent/platforms/index.ts'
import { loadInventory } from '../../inventory/load.ts'
import type { Inventory } from '../../inventory/model.ts'
import { printProblem } from '../../inventory/problem.ts'
import { CliError, type Context, exitCodes, remark, say, sayJson } from './context.ts'
import { type Host, showHostKey } from './keys.ts'
import {
  type Judged,
  judgeKeys,
  knownHostsLines,
  type ShownKey,
  withNewKeys,
} from './keys-merge.ts'
import { count, type Style, styleFor, table } from './print.ts'

/** What to scan, and where to put what is new. */
export interface ScanOptions {
  readonly inventory: string
  /** Only these devices and jump hosts. */
  readonly device?: readonly string[]
  /** known_hosts file that new keys are added to; without it they go to standard output. */
  readonly out?: string
  readonly json?: boolean
}

/** Hosts that are asked at the same time. */
const hostsAtOnce = 16

interface Unreadable {
  readonly id: string
  readonly address: string
  readonly port: number
  readonly reason: string
}

/** Exit code 0 when all keys are known or new; 1 when one differs, is revoked, or could not be read. */
export async function scanKeys(context: Context, options: ScanOptions): Promise<number> {
  const inventory = await load(options.inventory)
  const hosts = hostsOf(inventory, options.device)
  const { shown, unreadable } = await scan(context, hosts)
  const before = options.out === undefined ? '' : await existing(options.out)
  const judged = await judgeAll(inventory, shown, options.out)
  const added = judged.filter(({ state }) => state === 'new')
  const bad = judged.filter(({ state }) => state === 'differs' || state === 'revoked')
  if (options.out !== undefined && added.length > 0) {
    await replace(options.out, withNewKeys(before, judged))
  }
  const exit = bad.length + unreadable.length === 0 ? exitCodes.done : exitCodes.refused
  if (options.json === true) {
    sayJson(context, { keys: judged.map(viewOf), unreadable })
    return exit
  }
  const style = styleFor(context.stderr, context.environment)
  if (options.out === undefined) {
    for (const line of added.flatMap(knownHostsLines)) say(context, line)
  }
  remark(context, report(style, judged, unreadable))
  for (const one of bad) remark(context, warning(style, one))
  if (added.length > 0) remark(context, `\n${advice(added.length, options.out)}`)
  return exit
}

async function load(path: string): Promise<Inventory> {
  const loaded = await loadInventory(path, platforms)
  if (loaded.ok) return loaded.value
  const { problems } = loaded
  throw new CliError(
    exitCodes.refused,
    'inventory_invalid',
    problems.map(printProblem).join('\n'),
    { problems },
  )
}

/** Jump hosts come with the devices behind them; each address is asked once. */
function hostsOf(inventory: Inventory, only: readonly string[] | undefined): readonly Host[] {
  const jumps = [...inventory.jumps.values()].map(
    ({ id, address, port }): Host => ({ id, address, port, legacy: false }),
  )
  const devices = [...inventory.devices.values()].map((device): Host => {
    const jump = device.jump === undefined ? undefined : inventory.jumps.get(device.jump)
    const { id, address, port, legacy } = device
    return { id, address, port, legacy, ...(jump === undefined ? {} : { jump }) }
  })
  const all = [...jumps, ...devices]
  const unknown = only?.find((name) => !all.some(({ id }) => id === name))
  if (unknown !== undefined) {
    throw new CliError(
      exitCodes.refused,
      'unknown_device',
      `the inventory has no device or jump host "${unknown}": ${all.map(({ id }) => id).join(', ')}`,
    )
  }
  return only === undefined ? all : all.filter(({ id }) => only.includes(id))
}

async function scan(
  context: Context,
  hosts: readonly Host[],
): Promise<{ readonly shown: readonly ShownKey[]; readonly unreadable: readonly Unreadable[] }> {
  const gate = new PQueue({ concurrency: hostsAtOnce })
  const answers = await gate.addAll(
    hosts.map((host) => async () => ({
      host,
      answer: await showHostKey(host, context.environment),
    })),
  )
  return {
    shown: answers.flatMap(({ host: { id, address, port }, answer }) =>
      answer.ok ? [{ id, address, port, kind: answer.kind, key: answer.key }] : [],
    ),
    unreadable: answers.flatMap(({ host: { id, address, port }, answer }) =>
      answer.ok ? [] : [{ id, address, port, reason: answer.reason }],
    ),
  }
}

/** By the file that they go to, else by the files in which sessions look for them. */
async function judgeAll(
  inventory: Inventory,
  shown: readonly ShownKey[],
  out: string | undefined,
): Promise<readonly Judged[]> {
  const fileOf = (id: string) =>
    out ?? (inventory.jumps.get(id) ?? inventory.devices.get(id))?.knownHosts ?? ''
  const files = [...new Set(shown.map(({ id }) => fileOf(id)))]
  const texts = new Map(
    await Promise.all(files.map(async (file) => [file, await existing(file)] as const)),
  )
  return shown.flatMap((one) => judgeKeys(texts.get(fileOf(one.id)) ?? '', fileOf(one.id), [one]))
}

async function existing(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8')
  } catch (cause) {
    if (cause instanceof Error && Reflect.get(cause, 'code') === 'ENOENT') return ''
    throw new CliError(
      exitCodes.refused,
      'file_unreadable',
      `${file} can't be read: ${cause instanceof Error ? cause.message : String(cause)}`,
    )
  }
}

/** Whole or not at all: a session may read the file at any moment. */
async function replace(file: string, text: string): Promise<void> {
  const next = `${file}.new`
  try {
    await writeFile(next, text)
    await rename(next, file)
  } catch (cause) {
    throw new CliError(
      exitCodes.refused,
      'file_unwritable',
      `${file} can't be written: ${cause instanceof Error ? cause.message : String(cause)}`,
    )
  }
}

function report(
  style: Style,
  judged: readonly Judged[],
  unreadable: readonly Unreadable[],
): string {
  const { colours } = style
  const shades = {
    known: colours.green,
    new: colours.yellow,
    differs: colours.red,
    revoked: colours.red,
  }
  return table(
    style,
    ['HOST', 'ADDRESS', 'KEY', 'FINGERPRINT', 'STATE'],
    [
      ...judged.map((one) => [
        one.id,
        `${one.address} ${one.port}`,
        one.kind,
        one.fingerprint,
        shades[one.state](one.state),
      ]),
      ...unreadable.map((one) => [
        one.id,
        `${one.address} ${one.port}`,
        '-',
        one.reason,
        colours.red('not read'),
      ]),
    ],
  )
}

function warning({ colours }: Style, one: Judged): string {
  const head = colours.red(`\n${one.id} shows another key than expected.`)
  return one.state === 'revoked'
    ? `${colours.red(`\n${one.id} shows a key that is revoked.`)} Don't log in there: somebody may have the private key.`
    : `${head} Expected was ${one.expected.join(' or ')}. Nothing was changed: find out why, then take the old line out by hand and scan again.`
}

function advice(added: number, out: string | undefined): string {
  const what = count(added, 'new key')
  return out === undefined
    ? `${what}. Compare each fingerprint with what the device says of itself on its console, then keep the lines in the inventory's known_hosts file (--out FILE adds them).`
    : `${what} added to ${out}. Compare each fingerprint with what the device says of itself on its console before anything logs in there.`
}

function viewOf({ key, ...one }: Judged): object {
  return { ...one, key: key.toString('base64') }
}
