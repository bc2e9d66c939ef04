// `device list|show|check|reconcile|adopt`: devices as the controller knows them.

import type { Command } from 'commander'
import type { DeviceCheckView, DeviceView } from '../api/schema.ts'
import { createClient } from './client.ts'
import { type Context, endWith, exitCodes, say, sayJson, usageError } from './context.ts'
import { collect, examples } from './options.ts'
import { styleFor } from './print.ts'
import { deviceTable, printDevice, printPreflight } from './print-device.ts'

interface JsonOption {
  readonly json?: boolean
}

/** Adds them to the group `device`. */
export function register(
  _program: Command,
  context: Context,
  { device }: { readonly device: Command },
): void {
  registerReading(device, context)
  registerChanging(device, context)
}

function registerReading(device: Command, context: Context): void {
  const list = device
    .command('list')
    .description('all devices, with their state')
    .action(async ({ json }: JsonOption) => {
      const items = await createClient(context).list<DeviceView>('/v1/devices', {}, 100_000)
      if (json === true) sayJson(context, { items })
      else say(context, deviceTable(styleFor(context.stdout, context.environment), items))
    })
  examples(list, [['nullroute device list', 'state, drift and unsaved changes of each']])
  const show = device
    .command('show')
    .description('one device: health, what is wanted of it and what it showed')
    .argument('<device>', 'id of the device')
    .action(async (id: string, { json }: JsonOption) => {
      const view = await createClient(context).get<DeviceView>(pathOf(id))
      showDevice(context, view, json)
    })
  examples(show, [['nullroute device show edge1.ams', 'drift and orphans, with their keys']])
  const check = device
    .command('check')
    .description(
      'log in now, read and compare: reachable, host key, rights, preparation; changes nothing',
    )
    .argument('<device>', 'id of the device')
    .action(async (id: string, { json }: JsonOption) => {
      const view = await createClient(context).post<DeviceCheckView>(`${pathOf(id)}/check`)
      if (json === true) sayJson(context, view)
      else {
        const style = styleFor(context.stdout, context.environment)
        say(context, printPreflight(style, view))
      }
      if (view.preflight.some(({ ok }) => !ok)) endWith(context, exitCodes.refused)
    })
  examples(check, [
    [
      'nullroute device check edge1.ams',
      'each finding with what to do; ends with 1 where one is not right',
    ],
  ])
}

function registerChanging(device: Command, context: Context): void {
  const reconcile = device
    .command('reconcile')
    .description('converge now; with --remove, also take off an orphan that a person has looked at')
    .argument('<device>', 'id of the device')
    .option(
      '--remove <key>',
      'role admin: key of an orphan, as `device show` has it; may be repeated',
      collect,
    )
    .option('--reason <text>', 'with --remove: why')
    .action(
      async (id: string, options: JsonOption & { remove?: readonly string[]; reason?: string }) => {
        const { remove, reason } = options
        if (remove !== undefined && reason === undefined) {
          throw usageError(
            '--remove needs --reason: taking something off that nothing claims is recorded',
          )
        }
        if (remove === undefined && reason !== undefined)
          throw usageError('--reason goes with --remove')
        const body = remove === undefined ? {} : { body: { remove, reason } }
        const view = await createClient(context).post<DeviceView>(`${pathOf(id)}/reconcile`, body)
        showDevice(context, view, options.json)
      },
    )
  examples(reconcile, [
    ['nullroute device reconcile edge1.ams', 'puts right now what the next check would'],
    [
      'nullroute device reconcile trigger1 --remove "blackhole|default|203.0.113.9/32" --reason "left over"',
      'takes an orphan off that nobody needs there',
    ],
  ])
  const adopt = device
    .command('adopt')
    .description(
      'make orphans of a device ours again, after the store was lost; what nobody wants is then taken off',
    )
    .argument('<device>', 'id of the device')
    .option('--key <key>', 'key of an orphan, as `device show` has it; may be repeated', collect)
    .requiredOption('--reason <text>', 'why')
    .action(
      async (id: string, options: JsonOption & { key?: readonly string[]; reason: string }) => {
        const { key: keys, reason } = options
        if (keys === undefined)
          throw usageError('--key is missing: `nullroute device show` lists orphans')
        const view = await createClient(context).post<DeviceView>(`${pathOf(id)}/adopt`, {
          body: { keys, reason },
        })
        showDevice(context, view, options.json)
      },
    )
  examples(adopt, [
    [
      'nullroute device adopt trigger1 --key "blackhole|default|203.0.113.9/32" --reason "restored from backup"',
      'claims it: it stays while an enforcement wants it, else it is lifted',
    ],
  ])
}

function pathOf(id: string): string {
  return `/v1/devices/${encodeURIComponent(id)}`
}

function showDevice(context: Context, view: DeviceView, json: boolean | undefined): void {
  if (json === true) sayJson(context, view)
  else say(context, printDevice(styleFor(context.stdout, context.environment), view, new Date()))
}
