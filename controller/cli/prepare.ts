// `nullroute device prepare`: the lines that a platform needs once, before its first use. Prints, touches nothing.

import { platforms } from '../../agent/platforms/index.ts'
import { loadInventory } from '../../inventory/load.ts'
import { printProblem } from '../../inventory/problem.ts'
import { CliError, type Context, exitCodes, say, sayJson, usageError } from './context.ts'
import { some } from './print.ts'

/** What is to be prepared: a device of an inventory, or a platform by name. */
export interface PrepareOptions {
  readonly platform?: string
  readonly inventory: string
  readonly json?: boolean
}

/** Prints the lines. Exit code 0; CliError where device or platform are unknown. */
export async function prepareDevice(
  context: Context,
  device: string | undefined,
  options: PrepareOptions,
): Promise<number> {
  if ((device === undefined) === (options.platform === undefined)) {
    throw usageError('give the name of a device, or --platform P: one of the two')
  }
  const { name, ports } =
    options.platform === undefined
      ? await deviceIn(options.inventory, device ?? '')
      : { name: options.platform, ports: [] }
  const platform = platforms.get(name)
  if (platform === undefined) {
    throw new CliError(
      exitCodes.usage,
      'unknown_platform',
      `there is no platform "${name}", expected one of ${[...platforms.keys()].join(', ')}`,
    )
  }
  const lines = platform.prepare(ports)
  if (options.json === true) {
    sayJson(context, { ...(device === undefined ? {} : { device }), platform: name, lines })
  } else {
    say(context, lines.trimEnd())
  }
  return exitCodes.done
}

/** A device's platform, and the ports that customers have there. */
async function deviceIn(
  path: string,
  device: string,
): Promise<{ readonly name: string; readonly ports: readonly string[] }> {
  const loaded = await loadInventory(path, platforms)
  if (!loaded.ok) {
    throw new CliError(
      exitCodes.refused,
      'inventory_invalid',
      loaded.problems.map(printProblem).join('\n'),
      { problems: loaded.problems },
    )
  }
  const found = loaded.value.devices.get(device)
  if (found === undefined) {
    throw new CliError(
      exitCodes.refused,
      'unknown_device',
      `${path} has no device "${device}", expected one of ${some([...loaded.value.devices.keys()], 12)}`,
    )
  }
  const ports = [...loaded.value.customers.values()]
    .flatMap((customer) => customer.ports)
    .filter((port) => port.device === device)
    .map((port) => port.interface)
  return { name: found.platform, ports }
}
